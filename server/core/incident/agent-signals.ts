import { appendTimeline, type Draft } from "../draft.ts";
import type { Event } from "../event.ts";
import { findOpenIncident } from "./sync-incidents.ts";

/**
 * A durable signal of an agent (spooled while it was cut off) takes its place on the timeline of its cluster's open incident. The store has
 * kept it already, exactly once, without an incident: where none is open there is nothing to add.
 */
export function recordAgentSignal(draft: Draft, event: Extract<Event, { kind: "signal-recorded" }>): void {
  const cluster = draft.state.live.nodes.get(event.node)?.postgres?.cluster ?? null;
  const incident = cluster === null ? null : findOpenIncident(draft, cluster);
  if (incident === null) return;
  appendTimeline(draft, {
    incidentId: incident.id,
    lane: "signal",
    kind: event.code,
    subject: { kind: "node", id: event.node },
    nodeAt: event.nodeAt,
    data: event.data,
    actor: event.node,
  });
}
