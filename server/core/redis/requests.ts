import { getDocument, putDocument } from "../documents.ts";
import { appendAudit, type Draft, demand, nextActionId } from "../draft.ts";
import { findOpenIncident } from "../incident/sync-incidents.ts";
import { beginFailover } from "./failover.ts";
import { planRedisFailover } from "./failover-plan.ts";
import { audit, openMigration, stopMigration, tell } from "./migration.ts";
import type { RedisRequest } from "./operator-request.ts";
import { planMigration } from "./plan.ts";
import { beginShardFailover } from "./shard-failover.ts";
import { patchRedis } from "./steps.ts";

type Data = Readonly<Record<string, string | number | boolean | null>>;
type Answer =
  | { readonly ok: true; readonly data: Data }
  | { readonly ok: false; readonly code: string; readonly data: Data };

const refuse = (code: string, data: Data = {}): Answer => ({ ok: false, code, data });

export function answerRedisRequest(draft: Draft, request: RedisRequest, by: string): Answer {
  if (getDocument(draft, "redis", request.cluster) === null)
    return refuse("unknown-cluster", { cluster: request.cluster });
  switch (request.kind) {
    case "redis-migrate":
      return startMigration(draft, request, by);
    case "redis-stop-migration":
      return endEarly(draft, request, by);
    case "redis-failover":
      return failOver(draft, request, by);
    case "redis-automation":
      return setAutomation(draft, request, by);
    default:
      return request satisfies never;
  }
}

function startMigration(draft: Draft, request: Extract<RedisRequest, { kind: "redis-migrate" }>, by: string): Answer {
  const record = demand(getDocument(draft, "redis", request.cluster), request.cluster);
  if (record.mode !== "cluster") return refuse("redis-not-a-cluster", { cluster: record.id });
  if (openMigration(draft, record.id) !== null) return refuse("redis-migration-runs", { cluster: record.id });
  const { migration, shard, weights, maxSlotsPerSecond, keep, planHash, reason } = request;
  const plan = planMigration(draft.state, record, { kind: migration, shard, weights }, draft.now);
  if (plan.planHash !== planHash) return refuse("plan-changed", { shown: planHash, now: plan.planHash });
  const blocking = plan.checks.find((check) => check.status === "block");
  if (blocking !== undefined)
    return refuse("plan-blocked", { check: blocking.code, value: blocking.value, limit: blocking.limit });
  const id = nextActionId(draft).replace("ACT", "MIG");
  putDocument(draft, {
    kind: "redis-migration",
    id,
    openedAt: draft.now.wallMs,
    closedAt: null,
    cluster: record.id,
    migration,
    phase: "running",
    by,
    reason,
    transfers: plan.transfers,
    shards: plan.shards,
    drained: plan.drained,
    maxSlotsPerSecond,
    keep,
    slotsTotal: plan.slotsToMove,
    slotsMoved: 0,
    keysMoved: 0,
    keysReplaced: 0,
    lanes: [],
    commands: 0,
    failures: 0,
    lastFailure: null,
    retryAt: 0,
    stoppedBy: null,
    reverses: migration === "reverse" ? (record.lastMigration?.id ?? null) : null,
    incidentId: null,
  });
  draft.touched.add(`redis:${record.id}`);
  const document = demand(openMigration(draft, record.id), id);
  tell(draft, document, "redis-migration-started", { slots: plan.slotsToMove, kind: migration });
  audit(draft, record, document, "redis-migration-started", by, reason);
  return { ok: true, data: { migration: id } };
}

function endEarly(draft: Draft, request: Extract<RedisRequest, { kind: "redis-stop-migration" }>, by: string): Answer {
  const record = demand(getDocument(draft, "redis", request.cluster), request.cluster);
  const migration = openMigration(draft, record.id);
  if (migration === null) return refuse("redis-no-migration-runs", { cluster: record.id });
  if (migration.phase === "running") stopMigration(draft, record, migration, by, request.reason);
  return { ok: true, data: { migration: migration.id } };
}

/** Replica set: seal, then promote, also of a healthy master (the old one then follows). Redis Cluster: the replica asks its own cluster. */
function failOver(draft: Draft, request: Extract<RedisRequest, { kind: "redis-failover" }>, by: string): Answer {
  const record = demand(getDocument(draft, "redis", request.cluster), request.cluster);
  const { target, mode, planHash, reason } = request;
  if (target !== null && record.members[target] === undefined) return refuse("unknown-node", { node: target });
  if (target === null && record.mode === "cluster") return refuse("redis-name-a-replica", { cluster: record.id });
  if (target !== null && target === record.primary) return refuse("is-primary", { node: target });
  const plan = planRedisFailover(draft.state, record, { target, mode }, draft.now);
  if (planHash !== null && planHash !== plan.planHash)
    return refuse("plan-changed", { shown: planHash, now: plan.planHash });
  const blocking = plan.checks.find((check) => check.status === "block");
  if (blocking !== undefined)
    return refuse("plan-blocked", { check: blocking.code, value: blocking.value, limit: blocking.limit });
  const action =
    record.mode === "cluster"
      ? beginShardFailover(draft, record, plan, { by, reason })
      : beginFailover(draft, record, {
          verdict: null,
          incidentId: findOpenIncident(draft, record.id)?.id ?? null,
          by,
          automatic: false,
          reason,
          target,
        });
  return { ok: true, data: { action: action.id } };
}

function setAutomation(draft: Draft, request: Extract<RedisRequest, { kind: "redis-automation" }>, by: string): Answer {
  const record = demand(getDocument(draft, "redis", request.cluster), request.cluster);
  const automation = { state: request.state, by, reason: request.reason, at: draft.now.wallMs };
  patchRedis(draft, record.id, { automation });
  appendAudit(draft, {
    actor: by,
    actorRole: "operator",
    verb: request.state === "on" ? "automation-on" : "automation-held",
    subject: `redis:${record.id}`,
    before: { ...record.automation },
    after: automation,
    reason: request.reason,
  });
  return { ok: true, data: { state: request.state } };
}
