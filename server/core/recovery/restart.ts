import { commandStep, type Draft, demand, getAction, getCluster } from "../draft.ts";
import type { Verdict } from "../incident/types.ts";
import { beginAction, endAction } from "./actions.ts";
import { currentConfiguration, endpoints } from "./members.ts";
import type { ClusterRecord } from "./types.ts";

/** A restart that failed is tried again after this long. */
const retryAfterMs = 5_000;

/**
 * Restart in place: PostgreSQL ended, its agent is there and no failover is possible (or the policy prefers this). The primary comes back
 * under the grant it holds; the agent admits users only after k members have flushed its end-of-recovery position.
 */
export function considerRestart(draft: Draft, cluster: ClusterRecord, verdict: Verdict): void {
  if (cluster.openActionId !== null || cluster.automation.state !== "on" || cluster.maintenance?.holdAutomation) return;
  if (!verdict.evidence.some((item) => item.code === "postgres-exited") || verdict.subject.id !== cluster.primary)
    return;
  const recent = [...draft.state.durable.actions.values()].some(
    (action) =>
      action.cluster === cluster.id &&
      action.kind === "restart" &&
      draft.now.wallMs - (action.endedAt ?? action.startedAt) < retryAfterMs,
  );
  const configuration = currentConfiguration(cluster);
  if (recent || configuration === null) return;
  const node = cluster.primary;
  const incident = [...draft.incidents.values(), ...draft.state.durable.incidents.values()].find(
    (item) => item.cluster === cluster.id && item.resolvedAt === null,
  );
  const action = beginAction(draft, {
    kind: "restart",
    cluster: cluster.id,
    state: "restarting",
    by: "holdfast",
    automatic: true,
    reason: verdict.kind,
    incidentId: incident?.id ?? null,
    target: node,
    firstSignalAt: verdict.sinceWallMs,
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
