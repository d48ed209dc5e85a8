import { appendTimeline, type Draft } from "../draft.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import { findOpenIncident } from "./sync-incidents.ts";
import type { TimelineEntry } from "./types.ts";

/** Says once, on the incident's timeline, why nothing is done; again only when the reason changes. */
export function appendRefusal(
  draft: Draft,
  cluster: ClusterRecord,
  refusal: { code: string; data: TimelineEntry["data"] },
): void {
  const since = draft.state.live.clusters.get(cluster.id)?.since;
  const key = `refused:${refusal.code}`;
  if (since === undefined || since.has(key)) return;
  for (const other of [...since.keys()]) if (other.startsWith("refused:")) since.delete(other);
  since.set(key, draft.now.monoMs);
  appendTimeline(draft, {
    incidentId: findOpenIncident(draft, cluster.id)?.id ?? null,
    lane: "verdict",
    kind: "failover-refused",
    subject: { kind: "cluster", id: cluster.id },
    data: { ...refusal.data, code: refusal.code },
  });
}
