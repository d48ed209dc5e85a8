import { type Draft, demand, getAction, getCluster } from "../draft.ts";
import type { OperatorRequest } from "../event.ts";
import { joinFailover, refuseConfirmation } from "./confirm-down.ts";
import { startFailover } from "./evaluate-cluster.ts";
import { awaitsPerson } from "./fencing.ts";
import { acceptLoss } from "./loss.ts";
import { planAction } from "./preflight.ts";
import { startSwitchover } from "./switchover.ts";

export type Data = Readonly<Record<string, string | number | boolean | null>>;
export type Answer =
  | { readonly ok: true; readonly data: Data }
  | { readonly ok: false; readonly code: string; readonly data: Data };

const done = (data: Data = {}): Answer => ({ ok: true, data });
const refuse = (code: string, data: Data = {}): Answer => ({ ok: false, code, data });

/**
 * The plan must still be the one that was shown, and nothing may block it: the one way by which a change of the primary begins on a request, be it
 * a person's or a recovery's by cause. `incidentId`: the incident that a switchover is the recovery of.
 */
export function runPlan(
  draft: Draft,
  request: Extract<OperatorRequest, { kind: "failover" | "switchover" }>,
  {
    by,
    automatic,
    incidentId,
  }: { readonly by: string; readonly automatic: boolean; readonly incidentId: string | null },
): Answer {
  const cluster = getCluster(draft, request.cluster);
  if (cluster === null) return refuse("unknown-cluster", { cluster: request.cluster });
  const open = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  const waiting = request.kind === "failover" ? awaitsPerson(cluster, open) : null;
  // The plan is judged on the committed state; another request of this very batch may have begun something.
  if (open !== null && open.kind !== "reconfigure" && waiting === null)
    return refuse("plan-blocked", { check: "no-open-action", value: open.id, limit: "0" });
  const plan = planAction(
    draft.state,
    { kind: request.kind, cluster: request.cluster, target: request.target },
    draft.now,
  );
  const blocking = plan.checks.find((check) => check.status === "block");
  if (blocking !== undefined)
    return refuse("plan-blocked", { check: blocking.code, value: blocking.value, limit: blocking.limit });
  if (plan.planHash !== request.planHash)
    return refuse("plan-changed", { shown: request.planHash, now: plan.planHash });
  if (request.kind === "failover" && plan.fencing !== null) {
    const refusal = refuseConfirmation(plan, request.confirmDown);
    if (refusal !== null) return refuse(refusal.code, refusal.data);
  }
  if (request.kind === "failover" && waiting !== null) return done(joinFailover(draft, waiting, request, by));
  const options = { by, reason: request.reason, target: request.target };
  const action =
    request.kind === "switchover"
      ? startSwitchover(draft, cluster.id, { ...options, automatic, incidentId, target: demand(plan.target, "target") })
      : startFailover(draft, cluster.id, {
          ...options,
          automatic: false,
          firstSignalAt: null,
          acceptedLossBytes: acceptLoss(draft.state, cluster, request.acceptLossBytes, draft.now),
          confirmedDown: request.confirmDown !== undefined,
        });
  return done({ action: action.id, epoch: action.epoch });
}
