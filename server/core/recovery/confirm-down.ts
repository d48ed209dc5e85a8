import { appendAudit, type Draft, demand, getCluster, patchAction } from "../draft.ts";
import type { OperatorRequest } from "../event.ts";
import { confirmDown } from "./fencing.ts";
import { acceptLoss } from "./loss.ts";
import type { Action, Plan, Step } from "./types.ts";

/** A person's word that the old primary is down, where nothing else can tell. */

type FailoverRequest = Extract<OperatorRequest, { kind: "failover" }>;

/** Why this confirmation is not taken; null when it is right, or not needed. */
export function refuseConfirmation(
  plan: Plan,
  confirmed: string | undefined,
): { readonly code: string; readonly data: Step["data"] } | null {
  const node = plan.before.primary;
  if (confirmed === undefined)
    return plan.fencing === "operator" ? { code: "confirm-down-needed", data: { node } } : null;
  if (confirmed !== node) return { code: "confirm-down-other", data: { node, typed: confirmed } };
  // Who answers is not down: its own agent stops it.
  return plan.fencing === "agent" ? { code: "node-is-heard", data: { node } } : null;
}

/** An open failover that waits for certainty takes the confirmation, and the loss that was shown with it. */
export function joinFailover(draft: Draft, action: Action, request: FailoverRequest, by: string): Step["data"] {
  if (request.confirmDown !== undefined) confirmDown(draft, action.id, by);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const acceptedLossBytes = acceptLoss(draft.state, cluster, request.acceptLossBytes, draft.now);
  if (acceptedLossBytes !== undefined) patchAction(draft, action.id, { acceptedLossBytes });
  appendAudit(draft, {
    actor: by,
    actorRole: "operator",
    verb: "down-confirmed",
    subject: `action:${action.id}`,
    before: null,
    after: { node: action.from, acceptedLossBytes: request.acceptLossBytes ?? null },
    reason: request.reason,
  });
  return { action: action.id, epoch: action.epoch };
}
