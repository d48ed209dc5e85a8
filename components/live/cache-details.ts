import type { QueryClient } from "@tanstack/react-query";
import type { ActionView, FeedFrame, IncidentDetail, IncidentView, TimelineEntryView } from "./cache-types.ts";

/**
 * Carries live frames into the details that screens have asked for over HTTP: a watched node's whole detail, and new timeline
 * entries, actions and phases of an incident that is open on screen. Lists of history are asked for again instead.
 */
export function applyToDetails(client: QueryClient, frame: FeedFrame): void {
  if (frame.t === "detail") {
    const [kind, ...rest] = frame.topic.split(":");
    if (kind !== undefined && rest.length > 0) client.setQueryData([kind, rest.join(":")], frame.value);
    return;
  }
  if (frame.t !== "changes") return;
  for (const entry of frame.timeline) appendTimeline(client, entry);
  for (const entity of frame.put) {
    if (entity.entity === "incident") patchIncident(client, entity);
    else if (entity.entity === "action") patchAction(client, entity);
  }
  for (const kind of touchedHistory(frame)) void client.invalidateQueries({ queryKey: [kind] });
}

function appendTimeline(client: QueryClient, entry: TimelineEntryView): void {
  if (entry.incidentId === null) return;
  client.setQueryData<IncidentDetail>(["incident", entry.incidentId], (detail) => {
    if (detail === undefined || detail.timeline.some((known) => known.seq === entry.seq)) return detail;
    return { ...detail, timeline: [...detail.timeline, entry].sort((a, b) => a.seq - b.seq) };
  });
}

function patchIncident(client: QueryClient, incident: IncidentView): void {
  client.setQueryData<IncidentDetail>(["incident", incident.id], (detail) => detail && { ...detail, incident });
}

function patchAction(client: QueryClient, action: ActionView): void {
  if (action.incidentId === null) return;
  client.setQueryData<IncidentDetail>(["incident", action.incidentId], (detail) => {
    if (detail === undefined) return detail;
    const known = detail.actions.some((each) => each.id === action.id);
    const actions = known
      ? detail.actions.map((each) => (each.id === action.id ? action : each))
      : [...detail.actions, action];
    return { ...detail, actions };
  });
}

function touchedHistory(frame: Extract<FeedFrame, { t: "changes" }>): readonly string[] {
  const kinds = new Set<string>();
  for (const entity of frame.put) if (entity.entity === "incident") kinds.add("incidents");
  if (frame.timeline.length > 0) kinds.add("audit");
  return [...kinds];
}
