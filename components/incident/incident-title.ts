"use client";
import type { Incident } from "../../server/core/index.ts";
import { useCodeText } from "../i18n/code-text.ts";

/** The incident's title as a sentence, from its cause. */
export function useIncidentTitle(): (incident: Incident) => string {
  const say = useCodeText();
  return (incident) =>
    say("incidentTitle", incident.cause.kind, { subject: incident.cause.subject.id, cluster: incident.cluster });
}

/** How grave it looks right now: the state whose glyph stands for the incident. */
export function incidentState(incident: Incident): "down" | "degraded" | "suspect" | "healthy" {
  if (incident.resolvedAt !== null) return "healthy";
  if (incident.mitigatedAt !== null) return "degraded";
  return incident.severity <= 2 ? "down" : incident.severity === 3 ? "degraded" : "suspect";
}
