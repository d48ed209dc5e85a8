import { type Draft, demand, getAction, getCluster, patchCluster } from "../draft.ts";
import { type ActionDraft, closeAction, recordEnd, recordIntent } from "./record-action.ts";
import type { Action, ActionKind, ActionPhase } from "./types.ts";
import { stopWaitingFor } from "./waiting.ts";

/** Kinds of which only one may be open in a cluster at a time: they change who is primary or which commits count. */
const exclusive: ReadonlySet<ActionKind> = new Set([
  "initialize",
  "adopt",
  "failover",
  "switchover",
  "reconfigure",
  "restart",
]);

/** Records the intent. Nothing is sent before it was committed. */
export function beginAction(draft: Draft, intent: ActionDraft): Action {
  if (exclusive.has(intent.kind)) makeRoom(draft, intent.cluster);
  const cluster = demand(getCluster(draft, intent.cluster), intent.cluster);
  const action = recordIntent(draft, intent, { ...cluster, subject: `cluster:${cluster.id}` });
  if (intent.opensEpoch) patchCluster(draft, cluster.id, { highestEpoch: action.epoch });
  if (exclusive.has(intent.kind)) patchCluster(draft, cluster.id, { openActionId: action.id });
  return action;
}

/** A change of the synchronous set gives way; two changes of the primary at once would be a bug of the caller. */
function makeRoom(draft: Draft, clusterId: string): void {
  const openId = demand(getCluster(draft, clusterId), clusterId).openActionId;
  if (openId === null) return;
  const open = demand(getAction(draft, openId), openId);
  if (open.kind !== "reconfigure") throw new Error(`invariant: ${openId} (${open.kind}) is still open in ${clusterId}`);
  endAction(draft, openId, "aborted", { code: "superseded", data: {} });
}

export function endAction(
  draft: Draft,
  actionId: string,
  phase: Exclude<ActionPhase, "running">,
  failure: Action["failure"],
): void {
  const before = demand(getAction(draft, actionId), actionId);
  if (!closeAction(draft, actionId, phase, failure)) return;
  stopWaitingFor(draft, before.cluster, actionId);
  const cluster = demand(getCluster(draft, before.cluster), before.cluster);
  if (before.kind === "reconfigure" && before.state === "learning" && phase !== "done") forgetUnapplied(draft, before);
  if (cluster.openActionId === actionId) patchCluster(draft, cluster.id, { openActionId: null });
  recordEnd(draft, actionId, { ...cluster, subject: `cluster:${cluster.id}` });
}

/** A configuration that was never sent to the primary can't be in force: it need not be reckoned with any longer. */
function forgetUnapplied(draft: Draft, action: Action): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const version = action.configuration?.version;
  patchCluster(draft, cluster.id, {
    configurations: cluster.configurations.filter((item) => item.version !== version),
  });
}
