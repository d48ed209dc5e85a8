import { hashPlan } from "../plan-hash.ts";
import type { PlanCheck } from "../recovery/types.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { foresee } from "./candidates.ts";
import { mayLead, placeOf } from "./history.ts";
import { type RedisDocument, type RedisServer, readServers, sealable, sealsNeeded } from "./servers.ts";
import { masterOf } from "./shards.ts";

/** Redis Cluster only: `graceful` waits for the master and loses nothing, `force` does without it, `takeover` without a vote either. */
export type FailoverMode = "graceful" | "force" | "takeover";

export interface RedisFailoverRequest {
  /** The replica that is to take over; replica sets: null lets the highest offset decide alone. */
  readonly target: string | null;
  readonly mode: FailoverMode;
}

/** What a failover by hand would do, judged now. Running it under another hash is refused. */
export interface RedisFailoverPlan extends RedisFailoverRequest {
  readonly cluster: string;
  /** The master that gives way; null when nobody knows one. */
  readonly from: string | null;
  readonly planHash: string;
  readonly runnable: boolean;
  readonly checks: readonly PlanCheck[];
}

export function planRedisFailover(
  state: State,
  record: RedisDocument,
  { target, mode }: RedisFailoverRequest,
  now: Now,
): RedisFailoverPlan {
  const servers = readServers(state, record, now);
  const chosen = servers.find((server) => server.member.id === target) ?? null;
  const master = record.mode === "cluster" ? masterOf(servers, chosen) : null;
  const from = record.mode === "cluster" ? (master?.member.id ?? null) : record.primary;
  const own =
    record.mode === "cluster"
      ? checkShard(servers, chosen, master, mode)
      : checkReplicaSet(state, record, chosen, target, now);
  const moving = [...state.durable.documents.values()].some(
    (each) => each.kind === "redis-migration" && each.cluster === record.id,
  );
  const { openActionId } = record;
  const checks = [
    check("no-open-action", openActionId === null ? "pass" : "block", openActionId ?? "none", "none"),
    ...own,
    ...(record.mode === "cluster"
      ? [check("redis-no-migration", moving ? "warn" : "pass", moving ? "1" : "0", "0")]
      : []),
  ];
  const blocked = checks.filter(({ status }) => status === "block").map(({ code }) => code);
  return {
    cluster: record.id,
    target,
    mode,
    from,
    checks,
    runnable: blocked.length === 0,
    planHash: hashPlan({ target, mode, from, epoch: record.epoch, blocked }),
  };
}

/** As many counted replicas must be sealable as hold every confirmed write; the highest offset among them takes over. */
function checkReplicaSet(
  state: State,
  record: RedisDocument,
  chosen: RedisServer | null,
  target: string | null,
  now: Now,
): PlanCheck[] {
  const ready = sealable(state, record, now);
  const needed = sealsNeeded(record);
  const { counting, leading } = foresee(state, record, now);
  const quorum = check("quorum", counting < needed ? "block" : "pass", `${counting}`, `≥ ${needed}`);
  const history = check("redis-same-history", leading === 0 ? "block" : "pass", `${leading}`, "≥ 1");
  if (target === null) return [quorum, history];
  // By name: every reading makes objects of its own.
  const known = chosen !== null && ready.some(({ member }) => member.id === chosen.member.id);
  const replica = check("redis-target-replica", known ? "pass" : "block", target, "a replica that is heard");
  if (!known) return [quorum, history, replica];
  const may = (server: RedisServer): boolean =>
    server.status?.offset != null && (record.lineage == null || mayLead(placeOf(record, server)));
  if (!may(chosen)) return [quorum, check("redis-same-history", "block", target, "the master's history"), replica];
  const offsets = ready.filter(may).map(({ status }) => status?.offset ?? 0);
  const lagBytes = Math.max(0, ...offsets) - (chosen.status?.offset ?? 0);
  return [
    quorum,
    history,
    replica,
    check("redis-target-offset", lagBytes > 0 ? "warn" : "pass", `${lagBytes}`, "0 B", { lagBytes }),
  ];
}

function checkShard(
  servers: readonly RedisServer[],
  chosen: RedisServer | null,
  master: RedisServer | null,
  mode: FailoverMode,
): PlanCheck[] {
  const isReplica = chosen?.fresh === true && chosen.status?.role === "replica";
  const name = chosen?.member.id ?? "none";
  const replica = check("redis-target-replica", isReplica ? "pass" : "block", name, "a replica that is heard");
  if (!isReplica) return [replica];
  const answers = master?.fresh === true && master.status?.state === "running";
  const state = master === null ? "unknown" : answers ? "running" : (master.status?.state ?? "unheard");
  if (mode === "graceful") {
    return [replica, check("redis-master-answers", answers ? "pass" : "block", state, "running")];
  }
  const lagBytes = lagOf(chosen, master);
  const loss = check("redis-unreplicated", "warn", lagBytes === null ? "unknown" : `${lagBytes}`, null, { lagBytes });
  if (mode === "takeover") return [replica, loss, check("redis-without-vote", "warn", "0", null)];
  const { voters, of } = countVoters(servers, chosen);
  const needed = Math.floor(of / 2) + 1;
  return [replica, loss, check("redis-voters", voters < needed ? "block" : "pass", `${voters}`, `≥ ${needed}`)];
}

/** Bytes that the master wrote, as far as it was heard, and the replica had not yet; null: unknown. */
function lagOf(replica: RedisServer, master: RedisServer | null): number | null {
  const written = master?.status?.offset ?? null;
  const applied = replica.status?.offset ?? null;
  return written === null || applied === null ? null : Math.max(0, written - applied);
}

/** Masters that the replica would ask, and how many of them it calls well: a forced failover needs the votes of most. */
function countVoters(servers: readonly RedisServer[], replica: RedisServer): { voters: number; of: number } {
  const masters = (replica.status?.shard?.neighbours ?? []).filter(
    ({ role, host, port }) =>
      role === "master" && servers.some(({ member }) => member.host === host && member.port === port),
  );
  return { voters: masters.filter(({ health, linked }) => health === "ok" && linked).length, of: masters.length };
}

function check(
  code: string,
  status: PlanCheck["status"],
  value: string,
  limit: string | null,
  data: PlanCheck["data"] = {},
): PlanCheck {
  return { code, status, value, limit, data };
}
