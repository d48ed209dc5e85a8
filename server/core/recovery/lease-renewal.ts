import { type Draft, getAction, getCluster } from "../draft.ts";
import type { HeartbeatReceived } from "../event.ts";
import type { LeaseTerms } from "../replication/status.ts";
import type { Action, ClusterRecord } from "./types.ts";

/** Whose lease is renewed: the granted primary's, as long as nothing is under way that counts on its end. */
export function renewLeases(draft: Draft, beats: readonly HeartbeatReceived[]): void {
  for (const beat of beats) {
    const { node, postgres } = beat;
    const lease = postgres?.lease;
    if (postgres === null || lease === undefined || draft.state.live.nodes.get(node)?.sessionId !== beat.sessionId)
      continue;
    const cluster = getCluster(draft, postgres.cluster);
    // The promise may be synchronous again already: until that is in force the primary still needs its lease.
    if (cluster === null) continue;
    if (cluster.primary !== node || cluster.epoch !== lease.epoch) continue;
    const open = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
    if (open !== null && deposes(open, node)) continue;
    draft.renewals.push({ node, cluster: cluster.id, epoch: lease.epoch, ask: lease.ask });
  }
}

/** From its sealing on, an action may come to rely on the old primary's lease having ended. */
function deposes(open: Action, node: string): boolean {
  if (open.kind !== "failover" && open.kind !== "switchover") return false;
  return open.from === node && open.state === "sealing";
}

/** The lease of a new configuration: only in asynchronous mode, and only where somebody else could take over. */
export function leaseFor(
  draft: Draft,
  cluster: ClusterRecord,
  members: readonly string[],
): { readonly lease?: LeaseTerms } {
  const { durability } = cluster;
  if (durability.mode !== "async" || members.length === 0) return {};
  return { lease: { durationMs: draft.state.durable.policy.leaseMs, maxLagBytes: durability.maxLagBytes } };
}
