import { type Draft, demand, getAction, noteStep } from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import { findRoute, provenBy } from "./fencing.ts";
import { foreseeLoss, isOverLimit, reckonLoss } from "./loss.ts";
import type { Action, ClusterRecord, PossibleLoss, SealedMember, Step } from "./types.ts";

/** What an asynchronous failover needs instead of a quorum: certainty about the old primary, and a loss within what was accepted. */

type Refusal = { readonly code: string; readonly data: Step["data"] };

/** Why no automatic failover of an asynchronous cluster may start now; null when it may. */
export function refuseAsync(draft: Draft, cluster: ClusterRecord, sealable: readonly string[]): Refusal | null {
  const { durability } = cluster;
  if (durability.mode !== "async") return null;
  if (sealable.length === 0) return { code: "no-standby", data: {} };
  if (findRoute(draft.state, cluster, sealable, draft.now) === "operator")
    return { code: "async-needs-fencing", data: { node: cluster.primary } };
  const loss = foreseeLoss(draft.state, cluster, sealable, draft.now);
  return isOverLimit(loss, durability.maxLagBytes) ? lossRefusal(loss, durability.maxLagBytes) : null;
}

function lossRefusal(loss: PossibleLoss, limitBytes: number): Refusal {
  if (loss.atMostBytes === null) return { code: "loss-unknown", data: { limitBytes } };
  return { code: "loss-over-limit", data: { bytes: loss.atMostBytes, knownBytes: loss.knownBytes, limitBytes } };
}

/** `ready`: promote. `refused`: the loss is more than was accepted. */
export function judgeAsyncSeals(
  draft: Draft,
  action: Action,
  cluster: ClusterRecord,
  sealed: readonly SealedMember[],
): "ready" | "waiting" | "refused" {
  if (sealed.length === 0 || (action.from !== null && provenBy(action) === null)) return "waiting";
  return isOverLimit(reckonLoss(draft, action, cluster, sealed), acceptedBytes(action, cluster)) ? "refused" : "ready";
}

function acceptedBytes(action: Action, cluster: ClusterRecord): number | null {
  const limit = cluster.durability.mode === "async" ? cluster.durability.maxLagBytes : 0;
  return action.acceptedLossBytes === undefined ? limit : action.acceptedLossBytes;
}

/** Said once: the old primary goes on when its agent is back, or a person accepts the figure. */
export function tellLoss(
  draft: Draft,
  actionId: string,
  cluster: ClusterRecord,
  sealed: readonly SealedMember[],
): void {
  const action = demand(getAction(draft, actionId), actionId);
  if (action.steps.some((step) => step.kind === "loss-refused")) return;
  const { code, data } = lossRefusal(reckonLoss(draft, action, cluster, sealed), acceptedBytes(action, cluster) ?? 0);
  noteStep(draft, actionId, "loss-refused", action.from, data);
  appendActionEntry(draft, actionId, code, data);
}
