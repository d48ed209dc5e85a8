import { getDocument } from "../documents.ts";
import { type Draft, demand, getAction, patchAction, wakeAt } from "../draft.ts";
import { findOpenIncident } from "../incident/sync-incidents.ts";
import type { Action } from "../recovery/types.ts";
import type { RedisFailoverPlan } from "./failover-plan.ts";
import { type RedisDocument, readServers } from "./servers.ts";
import { beginRedisAction, endRedisAction, patchRedis, redisStep } from "./steps.ts";

/**
 * Failover of a shard of a Redis Cluster by hand: the replica asks its own cluster, which elects it. We ask once, and believe it only when the
 * servers say so: the replica calls itself the master and has slots.
 */

/** The agent waits ten seconds for the election. */
const answerMs = 15_000;
const verifyMs = 5_000;

export function beginShardFailover(
  draft: Draft,
  record: RedisDocument,
  { target, from, mode }: RedisFailoverPlan,
  { by, reason }: { readonly by: string; readonly reason: string },
): Action {
  const replica = demand(target, "a target");
  const action = beginRedisAction(draft, record, {
    kind: "failover",
    state: "electing",
    by,
    automatic: false,
    reason,
    incidentId: findOpenIncident(draft, record.id)?.id ?? null,
    from,
    target: replica,
    firstSignalAt: null,
    opensEpoch: false,
  });
  patchRedis(draft, record.id, { openActionId: action.id });
  redisStep(draft, action.id, `elect-${mode}`, replica, {
    verb: "redis.cluster-failover",
    args: { instance: replica, mode },
  });
  wakeAt(draft, draft.now.monoMs + answerMs);
  return demand(getAction(draft, action.id), action.id);
}

export function advanceShardFailover(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const [step] = action.steps;
  if (step === undefined) return;
  const node = action.target ?? "";
  const ageMs = draft.now.wallMs - action.startedAt;
  if (step.status === "running") {
    if (ageMs < answerMs) return;
    return endRedisAction(draft, actionId, "failed", { code: "no-answer", data: { node } });
  }
  if (step.status !== "done") {
    const detail = typeof step.data.detail === "string" ? step.data.detail : "";
    return endRedisAction(draft, actionId, "failed", { code: "not-elected", data: { node, detail } });
  }
  if (action.state === "electing") patchAction(draft, actionId, { state: "verifying" });
  if (serves(draft, action)) return endRedisAction(draft, actionId, "done", null);
  const doneAt = step.endedAt ?? draft.now.wallMs;
  if (draft.now.wallMs - doneAt < verifyMs) return wakeAt(draft, draft.now.monoMs + 250);
  endRedisAction(draft, actionId, "failed", { code: "not-serving", data: { node } });
}

/** The new master has slots and calls the cluster well. */
function serves(draft: Draft, action: Action): boolean {
  const record = getDocument(draft, "redis", action.cluster);
  if (record === null) return false;
  const server = readServers(draft.state, record, draft.now).find(({ member }) => member.id === action.target);
  const { status } = server ?? { status: null };
  return (
    server?.fresh === true && status?.role === "master" && status.shard?.state === "ok" && status.shard.slotCount > 0
  );
}
