import { appendTimeline, type Draft, demand, getAction, getIncident, patchIncident } from "../draft.ts";
import type { Evidence, TimelineEntry } from "./types.ts";

/** An entry in the action lane of the incident that the action belongs to (or of none: then of the cluster's history). */
export function appendActionEntry(
  draft: Draft,
  actionId: string,
  kind: string,
  data: TimelineEntry["data"],
  evidence: readonly Evidence[] = [],
): void {
  const action = demand(getAction(draft, actionId), actionId);
  appendTimeline(draft, {
    incidentId: action.incidentId,
    lane: "action",
    kind,
    subject: { kind: "cluster", id: action.cluster },
    data: { ...data, action: actionId },
    evidence,
    actor: action.by,
  });
}

export function linkAction(draft: Draft, incidentId: string, actionId: string): void {
  const incident = getIncident(draft, incidentId);
  if (incident === null || incident.actionIds.includes(actionId)) return;
  patchIncident(draft, incidentId, { actionIds: [...incident.actionIds, actionId] });
}
