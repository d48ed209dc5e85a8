import { getDocument } from "../documents.ts";
import { type Draft, demand, getAction, runningActions, wakeAt } from "../draft.ts";
import { appendRefusal } from "../incident/refusals.ts";
import type { Incident, Verdict } from "../incident/types.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import { holdsAutomation } from "../topology/maintenance.ts";
import { ensureClusterLive } from "../topology/observe.ts";
import { seeAgent } from "../topology/sight.ts";
import { foresee } from "./candidates.ts";
import { advanceFailover, beginFailover } from "./failover.ts";
import { considerGrant, dropLostReplicas } from "./grant.ts";
import { learnHistory, readHistory } from "./history.ts";
import { syncRedisIncident } from "./incidents.ts";
import { judgePrimary, judgeShards } from "./judge.ts";
import { advanceMigration, openMigration } from "./migration.ts";
import { againMs, clear, heldFor, rarely, settleMs } from "./patience.ts";
import { endpointOf, follows, type RedisDocument, readServers, sealsNeeded } from "./servers.ts";
import { advanceShardFailover } from "./shard-failover.ts";
import { answeringShards, findStrays, readOwners, readShards, type StrayMaster } from "./shards.ts";
import { beginRedisAction, endRedisAction, patchRedis, redisStep } from "./steps.ts";

/** Members have this long to declare themselves before the first grant. */
const gatherMs = 1_500;
/** Gossip may still be on its way: Redis makes a replica of most that come back by itself. */
const strayAfterMs = 3_000;
const rejoinDeadlineMs = 60_000;

export function evaluateRedis(draft: Draft, id: string): void {
  const record = demand(getDocument(draft, "redis", id), id);
  ensureClusterLive(draft, id);
  if (record.mode === "cluster") return evaluateRedisCluster(draft, record);
  evaluateReplicaSet(draft, record);
}

/** Redis Cluster votes by itself. We watch, say what happened, ask for an election when a person wants one, and move slots. */
function evaluateRedisCluster(draft: Draft, before: RedisDocument): void {
  for (const action of runningActions(draft, before.id)) {
    if (action.kind === "failover") advanceShardFailover(draft, action.id);
    else advanceRejoin(draft, action.id);
  }
  const record = demand(getDocument(draft, "redis", before.id), before.id);
  const verdict = judgeShards(draft.state, record, draft.now);
  const servers = readServers(draft.state, record, draft.now);
  const running = servers.filter((server) => server.fresh && server.status?.state === "running");
  const shards = answeringShards(readShards(draft.state, record, draft.now));
  const serving =
    shards.every(({ status }) => status.state === "ok") && readOwners(shards).every((owner) => owner !== null);
  const strays = findStrays(shards, (openMigration(draft, record.id) ?? record.lastMigration)?.shards ?? []);
  const whole = serving && running.length === servers.length && strays.length === 0;
  const incident = syncRedisIncident(draft, record, verdict, { mitigated: serving, whole });
  advanceMigration(draft, record);
  if (draft.state.live.self.frozen !== null || holdsAutomation(record.maintenance, draft.now.wallMs)) return;
  for (const stray of strays) considerShardRejoin(draft, record, stray, incident?.id ?? null);
}

/** An empty master follows whoever has its shard now. Redis itself refuses one that has a slot or a key. */
function considerShardRejoin(
  draft: Draft,
  record: RedisDocument,
  { master, leader }: StrayMaster,
  incidentId: string | null,
): void {
  const { id } = master.member;
  const key = `follow:${id}`;
  if (runningActions(draft, record.id).some((action) => action.target === id)) return;
  if (!heldFor(draft, record.id, key, strayAfterMs) || !rarely(draft, record.id, `${key}:sent`, againMs)) return;
  clear(draft, record.id, key);
  const action = beginRedisAction(draft, record, {
    kind: "rejoin",
    state: "following",
    by: "holdfast",
    automatic: true,
    reason: "came-back-empty",
    incidentId,
    from: null,
    target: id,
    firstSignalAt: null,
    opensEpoch: false,
  });
  redisStep(draft, action.id, "follow", id, {
    verb: "redis.cluster-replicate",
    args: { instance: id, master: leader.id },
  });
}

function evaluateReplicaSet(draft: Draft, before: RedisDocument): void {
  for (const action of runningActions(draft, before.id)) {
    if (action.kind === "failover") advanceFailover(draft, action.id);
    else advanceRejoin(draft, action.id);
  }
  const record = demand(getDocument(draft, "redis", before.id), before.id);
  if (record.epoch === 0) return considerAdoption(draft, record);
  noticeHistory(draft, record);
  for (const member of Object.values(record.members)) noticeSilence(draft, member.node);
  const moving = record.openActionId !== null;
  const verdict = moving ? null : judgePrimary(draft.state, record, draft.now);
  const incident = syncRedisIncident(draft, record, verdict, {
    mitigated: !moving && primaryServes(draft, record),
    whole: !moving && isWhole(draft, record),
  });
  if (draft.state.live.self.frozen !== null || moving) return;
  if (verdict !== null) return considerFailover(draft, record, verdict, incident);
  if (holdsAutomation(record.maintenance, draft.now.wallMs) || record.automation.state !== "on") return;
  considerGrant(draft, record);
  considerFollows(draft, demand(getDocument(draft, "redis", record.id), record.id));
  dropLostReplicas(draft, demand(getDocument(draft, "redis", record.id), record.id));
}

/** Only the granted master says which history is the set's, and only under the grant of now. */
function noticeHistory(draft: Draft, record: RedisDocument): void {
  const primary = readServers(draft.state, record, draft.now).find((server) => server.member.id === record.primary);
  if (primary?.fresh !== true || primary.status?.state !== "running" || primary.status.role !== "master") return;
  if (primary.status.promise?.epoch === record.epoch) learnHistory(draft, record.id, readHistory(primary.status));
}

function primaryServes(draft: Draft, record: RedisDocument): boolean {
  const primary = readServers(draft.state, record, draft.now).find((server) => server.member.id === record.primary);
  return (
    primary?.fresh === true && primary.status?.role === "master" && primary.status.probe.ok && !primary.status.held
  );
}

function isWhole(draft: Draft, record: RedisDocument): boolean {
  const primary = record.primary === null ? undefined : record.members[record.primary];
  if (primary === undefined || !primaryServes(draft, record)) return false;
  return readServers(draft.state, record, draft.now).every(
    (server) =>
      server.member.id === record.primary ||
      (server.fresh &&
        server.member.standing === "member" &&
        follows(server, primary) &&
        server.status?.link?.status === "up"),
  );
}

/** The first grant: exactly one member is a master. Two would be two histories, and a person has to choose. */
function considerAdoption(draft: Draft, record: RedisDocument): void {
  const servers = readServers(draft.state, record, draft.now);
  const masters = servers.filter(
    (server) => server.fresh && server.status?.state === "running" && server.status.role === "master",
  );
  const known = servers.every((server) => server.fresh && server.status?.role !== null);
  const [first] = masters;
  if (draft.now.wallMs - record.openedAt < gatherMs) return wakeAt(draft, draft.now.monoMs + gatherMs);
  if (first === undefined || masters.length > 1 || !known) return;
  const intentId = `${record.id}.${draft.now.entropy}`;
  patchRedis(draft, record.id, {
    epoch: 1,
    highestEpoch: 1,
    grantId: intentId,
    primary: first.member.id,
    lineage: first.status === null ? null : { current: readHistory(first.status), before: [], left: [] },
    members: { ...record.members, [first.member.id]: { ...first.member, standing: "member" } },
    epochs: [
      {
        epoch: 1,
        intentId,
        primary: first.member.id,
        cause: "adopt",
        by: "holdfast",
        at: draft.now.wallMs,
        actionId: null,
        offset: null,
        givenUpBytes: null,
      },
    ],
  });
}

function considerFailover(draft: Draft, record: RedisDocument, verdict: Verdict, incident: Incident | null): void {
  const refusal = refuseFailover(draft, record);
  if (refusal !== null) {
    appendRefusal(draft, { id: record.id } as ClusterRecord, refusal);
    // Its process ended and nobody may take over: it is started again where it was.
    if (record.automation.state === "on") considerGrant(draft, record);
    return;
  }
  beginFailover(draft, record, {
    verdict,
    incidentId: incident?.id ?? null,
    by: "holdfast",
    automatic: true,
    reason: verdict.kind,
    target: null,
  });
}

export function refuseFailover(
  draft: Draft,
  record: RedisDocument,
): { code: string; data: Readonly<Record<string, string | number | null>> } | null {
  const { policy } = draft.state.durable;
  if (record.automation.state !== "on") return { code: "automation-held", data: { reason: record.automation.reason } };
  if (holdsAutomation(record.maintenance, draft.now.wallMs))
    return { code: "maintenance", data: { by: record.maintenance?.by ?? "" } };
  const used = record.budgetUsedAt.filter((at) => draft.now.wallMs - at < policy.failoverBudgetWindowMs).length;
  if (used >= policy.failoverBudget) return { code: "budget-used", data: { used, of: policy.failoverBudget } };
  const { counting, leading } = foresee(draft.state, record, draft.now);
  const needed = sealsNeeded(record);
  if (counting < needed) return { code: "no-quorum", data: { sealable: counting, needed } };
  return leading === 0 ? { code: "no-candidate", data: {} } : null;
}

/** Every other member follows the primary. It counts for the quorum from the moment it is told to: it may confirm writes from then on. */
function considerFollows(draft: Draft, record: RedisDocument): void {
  const primary = record.primary === null ? undefined : record.members[record.primary];
  if (primary === undefined || !primaryServes(draft, record)) return;
  for (const server of readServers(draft.state, record, draft.now)) {
    const { member, status } = server;
    const key = `follow:${member.id}`;
    if (member.id === primary.id || !server.fresh || status === null) continue;
    const good = status.state === "running" && status.role === "replica" && follows(server, primary);
    if (good && member.standing === "member") {
      clear(draft, record.id, key);
      continue;
    }
    if (runningActions(draft, record.id).some((action) => action.target === member.id)) continue;
    // An old master that takes writes is stopped at once; what only starts up may need a moment.
    if (!heldFor(draft, record.id, key, status.role === "master" ? 0 : settleMs)) continue;
    if (!rarely(draft, record.id, `${key}:sent`, againMs)) continue;
    const current = demand(getDocument(draft, "redis", record.id), record.id);
    patchRedis(draft, record.id, { members: { ...current.members, [member.id]: { ...member, standing: "member" } } });
    const action = beginRedisAction(draft, demand(getDocument(draft, "redis", record.id), record.id), {
      kind: "rejoin",
      state: "following",
      by: "holdfast",
      automatic: true,
      reason: member.standing === "new" ? "new-member" : "not-following",
      incidentId: null,
      from: null,
      target: member.id,
      firstSignalAt: null,
      opensEpoch: false,
    });
    redisStep(draft, action.id, "follow", member.id, { verb: "redis.follow", args: { primary: endpointOf(primary) } });
  }
}

function advanceRejoin(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const step = action.steps[0];
  if (step === undefined) return;
  if (step.status === "running" && draft.now.wallMs - action.startedAt < rejoinDeadlineMs) return;
  if (step.status === "done") return endRedisAction(draft, actionId, "done", null);
  const detail = typeof step.data.detail === "string" ? step.data.detail : "no answer in time";
  endRedisAction(draft, actionId, "failed", { code: "rejoin-failed", data: { node: action.target, detail } });
}

/** Asks to be woken when the silence of an agent becomes a suspicion, so that no tick has to pass first. */
function noticeSilence(draft: Draft, node: string): void {
  const live = draft.state.live.nodes.get(node);
  if (live?.connected !== true || seeAgent(draft.state, node, draft.now) !== "alive") return;
  wakeAt(draft, live.detector.lastArrivalMs + live.detector.thresholdMs + 1);
}
