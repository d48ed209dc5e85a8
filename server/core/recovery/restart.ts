import { commandStep, type Draft, demand, getAction, getCluster } from "../draft.ts";
import type { Verdict } from "../incident/types.ts";
import { holdsAutomation } from "../topology/maintenance.ts";
import { isWitness } from "../topology/sight.ts";
import { beginAction, endAction } from "./actions.ts";
import { currentConfiguration, endpoints } from "./members.ts";
import type { ClusterRecord } from "./types.ts";
import { forgetRetries, hasWaited, isTooSoon, stopWaiting } from "./waiting.ts";

/** A restart that failed is tried again after this long. */
const retryAfterMs = 5_000;
/** A granted primary that does not run as one for this long came back fenced and waits for a word. */
const steppedDownMs = 1_000;

/**
 * Restart in place: PostgreSQL ended, its agent is there and no failover is possible (or the policy prefers this). The primary comes back
 * under the grant it holds; the agent admits users only after k members have flushed its end-of-recovery position.
 */
export function considerRestart(draft: Draft, cluster: ClusterRecord, verdict: Verdict): void {
  if (!verdict.evidence.some((item) => item.code === "postgres-exited") || verdict.subject.id !== cluster.primary)
    return;
  startRestart(draft, cluster, verdict.kind, verdict.sinceWallMs);
}

/**
 * After a reboot the agent starts its server fenced, as a standby of nobody, also on the recorded primary. Where no failover took place
 * meanwhile (too few standbys were left), nobody else will ever take writes: it is started again as what it was granted to be.
 */
export function considerReturn(draft: Draft, cluster: ClusterRecord): void {
  const node = cluster.primary;
  if (node === null || cluster.openActionId !== null) return;
  if (hasSteppedDown(draft, cluster, node)) {
    startRestart(draft, cluster, "came-back-fenced", draft.now.wallMs - steppedDownMs);
  }
}

/** The primary's agent is heard, and its server has not been a primary for a while: it came back fenced. */
export function hasSteppedDown(draft: Draft, cluster: ClusterRecord, node: string): boolean {
  const key = steppedDownKey(node);
  if (isFenced(draft, cluster, node)) return hasWaited(draft, cluster.id, key, steppedDownMs);
  stopWaiting(draft, cluster.id, key);
  return false;
}

/** What was seen before a restart says nothing about the time after it: whoever sends one begins to wait anew. */
export function steppedDownKey(node: string): string {
  return `stepped-down:${node}`;
}

function isFenced(draft: Draft, cluster: ClusterRecord, node: string): boolean {
  const status = draft.state.live.nodes.get(node)?.postgres ?? null;
  if (status === null || !isWitness(draft.state, node, draft.now)) return false;
  if (status.promise !== null && status.promise.epoch > cluster.epoch) return false;
  return (
    (status.state === "running" && status.role === "standby") || (status.state === "stopped" && status.exit === null)
  );
}

function startRestart(draft: Draft, cluster: ClusterRecord, reason: string, firstSignalAt: number): void {
  // A cluster that is still being put together has nobody else to serve: its primary comes back before the preflight has passed, too.
  const mayAct = cluster.automation.state === "on" || cluster.automation.reason === "preflight-pending";
  if (cluster.openActionId !== null || !mayAct || holdsAutomation(cluster.maintenance, draft.now.wallMs)) return;
  const node = demand(cluster.primary, "primary");
  const configuration = currentConfiguration(cluster);
  if (configuration === null || isTooSoon(draft, cluster.id, "restart", node, retryAfterMs)) return;
  forgetRetries(draft, cluster.id, "restart", node);
  stopWaiting(draft, cluster.id, steppedDownKey(node));
  const incident = [...draft.incidents.values(), ...draft.state.durable.incidents.values()].find(
    (item) => item.cluster === cluster.id && item.resolvedAt === null,
  );
  const action = beginAction(draft, {
    kind: "restart",
    cluster: cluster.id,
    state: "restarting",
    by: "holdfast",
    automatic: true,
    reason,
    incidentId: incident?.id ?? null,
    target: node,
    firstSignalAt,
    opensEpoch: false,
  });
  commandStep(draft, action.id, {
    kind: "restart",
    node,
    verb: { verb: "postgres.restart", args: { as: "primary", configuration, peers: endpoints(cluster) } },
    epoch: cluster.epoch,
    intentId: demand(cluster.grantId, "grant"),
  });
}

export function advanceRestart(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  if (cluster.epoch !== action.epoch) return endAction(draft, actionId, "aborted", { code: "superseded", data: {} });
  const step = action.steps.at(-1);
  if (step?.status === "done") return endAction(draft, actionId, "done", null);
  if (step?.status === "failed") endAction(draft, actionId, "failed", { code: "restart-failed", data: step.data });
}
