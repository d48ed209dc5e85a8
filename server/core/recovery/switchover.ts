import { commandStep, type Draft, demand, getAction, getCluster } from "../draft.ts";
import { beginAction, endAction } from "./actions.ts";
import { judgeMember } from "./judge-member.ts";
import { enterSealing } from "./sealing.ts";
import type { Action } from "./types.ts";

/**
 * A planned change of the primary: it admits no more writes and brings its standbys level within a deadline, then seal and promote as ever. The
 * sealed candidate must hold the position that it tells. Where commits wait for standbys the seals alone keep the old primary from acknowledging
 * anything, so it need not be down by then; an asynchronous one must.
 */
export function startSwitchover(
  draft: Draft,
  clusterId: string,
  options: {
    readonly target: string;
    readonly by: string;
    readonly reason: string;
    readonly automatic: boolean;
    readonly incidentId: string | null;
  },
): Action {
  const cluster = demand(getCluster(draft, clusterId), clusterId);
  const primary = demand(cluster.primary, "primary");
  const action = beginAction(draft, {
    kind: "switchover",
    cluster: clusterId,
    state: "demoting",
    by: options.by,
    automatic: options.automatic,
    reason: options.reason,
    incidentId: options.incidentId,
    from: primary,
    target: options.target,
    opensEpoch: true,
  });
  // Under the grant that the primary holds: until the standbys are sealed it may be started again as it was.
  commandStep(draft, action.id, {
    kind: "demote",
    node: primary,
    verb: {
      verb: "postgres.demote",
      args: {
        deadlineMs: draft.state.durable.policy.demoteDeadlineMs,
        way: cluster.durability.mode === "sync" ? "quiesce" : "shutdown",
      },
    },
    epoch: cluster.epoch,
    intentId: demand(cluster.grantId, "grant"),
  });
  return action;
}

export function advanceDemoting(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const step = action.steps.find((item) => item.kind === "demote");
  if (step?.status === "done") return enterSealing(draft, actionId);
  if (step?.status === "failed")
    return endAction(draft, actionId, "compensated", { code: "demote-failed", data: step.data });
  // The primary died while it was being shut down: from here this is a failover, and sealing makes it safe.
  const verdict = judgeMember(draft.state, cluster, demand(action.from, "from"), draft.now);
  const agentGone =
    verdict !== null &&
    verdict.kind !== "unreachable-agent" &&
    !verdict.evidence.some((item) => item.code === "postgres-exited");
  if (agentGone) enterSealing(draft, actionId);
}
