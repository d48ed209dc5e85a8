"use client";
import { namedAbove } from "../../server/core/incident/severity.ts";
import type { Incident } from "../../server/core/index.ts";
import { useCodeText } from "../i18n/code-text.ts";

/** The incident's title as a sentence, from its cause. */
export function useIncidentTitle(): (incident: Incident) => string {
  const say = useCodeText();
  return (incident) => {
    const { cause, cluster } = incident;
    const data = { subject: cause.subject.id, cluster };
    const [first] = incident.suspects;
    // What the users feel is the symptom; the title says the cause as soon as it is likely.
    if (cause.kind !== "service-degraded" || first === undefined || first.confidence < namedAbove)
      return say("incidentTitle", cause.kind, data);
    const named = say("suspectCause", first.cause);
    return say("incidentTitle", "service-degraded-by", { ...data, suspect: first.subject.id, named });
  };
}

/** How grave it looks right now: the state whose glyph stands for the incident. */
export function incidentState(incident: Incident): "down" | "degraded" | "suspect" | "healthy" {
  if (incident.resolvedAt !== null) return "healthy";
  if (incident.mitigatedAt !== null) return "degraded";
  return incident.severity <= 2 ? "down" : incident.severity === 3 ? "degraded" : "suspect";
}
