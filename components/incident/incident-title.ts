"use client";
import { titleOf } from "../../server/core/incident/title.ts";
import type { Incident } from "../../server/core/index.ts";
import { useCodeText } from "../i18n/code-text.ts";

/** The incident's title as a sentence, from its cause. */
export function useIncidentTitle(): (incident: Incident) => string {
  const say = useCodeText();
  return (incident) => {
    const { code, named, data } = titleOf(incident);
    return say("incidentTitle", code, named === null ? data : { ...data, named: say("suspectCause", named) });
  };
}

/** How grave it looks right now: the state whose glyph stands for the incident. */
export function incidentState(incident: Incident): "down" | "degraded" | "suspect" | "healthy" {
  if (incident.resolvedAt !== null) return "healthy";
  if (incident.mitigatedAt !== null) return "degraded";
  return incident.severity <= 2 ? "down" : incident.severity === 3 ? "degraded" : "suspect";
}
