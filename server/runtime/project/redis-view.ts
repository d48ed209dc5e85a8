import {
  answeringShards,
  compressSlots,
  type DocumentOf,
  expandSlots,
  findOpenSlots,
  findStrays,
  type HealthState,
  type Migration,
  type MigrationRequest,
  type OpenSlot,
  pendingSlots,
  type Reason,
  type RedisDocument,
  type RedisFailoverRequest,
  type RedisMode,
  type RedisServer,
  readOwners,
  readServers,
  readShards,
  type Shard,
} from "../../core/index.ts";
import type { RedisMemberView, RedisMigrationView, RedisView } from "../../protocol/index.ts";
import type { ProjectionContext } from "./context.ts";
import { findSharedNode } from "./redis-placement.ts";

const slots = 16_384;
/** The first moments of a move say nothing about its rate. */
const rateAfterMs = 1_000;

/** A Redis cluster with its servers, as far as they are heard; null when there is none of that name. */
export function projectRedis(context: ProjectionContext, id: string): RedisView | null {
  const record = findRecord(context, id);
  if (record === null) return null;
  const { state, now, memory } = context;
  const servers = readServers(state, record, now);
  const shards = record.mode === "cluster" ? readShards(state, record, now) : [];
  const owners = readOwners(shards);
  const migration = findMigration(context, id);
  const members = servers
    .map((server) => projectMember(server, servers, record, owners))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const reasons = explain(record, servers, shards, migration);
  const health = worst(reasons);
  const open = findOpenSlots(shards, record.lastMigration?.shards ?? []);
  return {
    entity: "redis",
    id,
    mode: record.mode,
    state: health,
    reasons: reasons.map(({ reason }) => reason),
    stateSince: memory.since(`redis:${id}`, health, now.wallMs),
    primary: record.primary,
    epoch: record.epoch,
    epochs: record.epochs,
    k: record.k,
    kInForce: record.kInForce,
    automation: record.automation,
    maintenance: record.maintenance,
    members,
    openActionId: record.openActionId,
    openIncidentId: findIncident(context, id),
    slotsServed: record.mode === "cluster" ? countServed(shards) : null,
    openSlots: migration === null ? open.length : 0,
    open: migration === null ? groupOpen(open, shards) : [],
    migration: migration === null ? null : projectMigration(context, migration, shards),
    lastMigration: record.lastMigration,
    promises: explainPromises(record, members),
  };
}

/** The same by command line. */
export function describeMigration(cluster: string, { kind, shard, weights }: MigrationRequest): string {
  const set = Object.entries(weights).map(([name, weight]) => ` --weight ${name}=${weight}`);
  if (kind === "drain") return `holdfast redis drain ${cluster} ${shard ?? ""} --reason …`;
  return `holdfast redis ${kind} ${cluster}${set.join("")} --reason …`;
}

/** The same by command line. */
export function describeFailover(
  cluster: string,
  mode: RedisMode,
  { target, mode: how }: RedisFailoverRequest,
): string {
  const to = target === null ? "" : ` --to ${target}`;
  return `holdfast redis failover ${cluster}${to}${mode === "cluster" ? ` --mode ${how}` : ""} --reason …`;
}

function findRecord({ state }: ProjectionContext, id: string): RedisDocument | null {
  const document = state.durable.documents.get(`redis:${id}`);
  return document?.kind === "redis" ? document : null;
}

function findMigration({ state }: ProjectionContext, cluster: string): Migration | null {
  for (const document of state.durable.documents.values()) {
    if (document.kind === "redis-migration" && document.cluster === cluster) return document;
  }
  return null;
}

function findIncident({ state }: ProjectionContext, cluster: string): string | null {
  for (const incident of state.durable.incidents.values()) {
    if (incident.cluster === cluster && incident.resolvedAt === null) return incident.id;
  }
  return null;
}

/** Open slots by the masters that have them, by name. */
function groupOpen(open: readonly OpenSlot[], shards: readonly Shard[]): RedisView["open"] {
  const nameOf = (id: string | null) => shards.find((shard) => shard.id === id)?.master.member.id ?? null;
  const groups = new Map<string, { from: string | null; to: string | null; slots: number[] }>();
  for (const { slot, from, to } of open) {
    const key = `${from}>${to}`;
    const group = groups.get(key) ?? { from: nameOf(from), to: nameOf(to), slots: [] };
    group.slots.push(slot);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ from, to, slots: each }) => ({ from, to, slots: compressSlots(each) }));
}

function countServed(shards: readonly Shard[]): number {
  return readOwners(answeringShards(shards)).filter((owner) => owner !== null).length;
}

/** A master that stands still goes on claiming what its successor has by now: each slot is shown with one owner. */
function projectShard({ status }: RedisServer, owners: readonly (string | null)[]): RedisMemberView["shard"] {
  if (status?.shard == null) return null;
  const { slotsServed: _, ...shard } = status.shard;
  if (status.role !== "master") return shard;
  const own = expandSlots(shard.slots).filter((slot) => owners[slot] === shard.id || owners[slot] == null);
  return own.length === shard.slotCount ? shard : { ...shard, slots: compressSlots(own), slotCount: own.length };
}

function projectMember(
  server: RedisServer,
  servers: readonly RedisServer[],
  record: RedisDocument,
  owners: readonly (string | null)[],
): RedisMemberView {
  const { member, status, fresh } = server;
  const lag = status?.role === "replica" ? measureLag(server, servers) : { bytes: null, ms: null };
  return {
    id: member.id,
    node: member.node,
    host: member.host,
    port: member.port,
    state: memberState(server, record),
    server: fresh ? (status?.state ?? null) : null,
    fresh,
    role: status?.role ?? null,
    standing: member.standing,
    promisedEpoch: status?.promise?.epoch ?? null,
    held: status?.held ?? false,
    version: status?.version ?? null,
    offset: status?.offset ?? null,
    replicationId: status?.replicationId ?? null,
    link: status?.link ?? null,
    lagBytes: lag.bytes,
    lagMs: lag.ms,
    probe: status?.probe ?? null,
    persistent: status?.persistent ?? null,
    keys: status?.keys ?? null,
    memoryBytes: status?.memoryBytes ?? null,
    maxMemoryBytes: status?.maxMemoryBytes ?? null,
    clients: status?.clients ?? null,
    commandsPerSecond: status?.commandsPerSecond ?? null,
    shard: projectShard(server, owners),
  };
}

/** By the master's own view of this replica: two statuses of different moments would show a lag that is none. */
function measureLag(server: RedisServer, servers: readonly RedisServer[]): { bytes: number | null; ms: number | null } {
  const { host, port } = server.member;
  for (const master of servers) {
    if (!master.fresh || master.status?.role !== "master" || master.status.offset === null) continue;
    const row = master.status.replicas.find((each) => each.host === host && each.port === port);
    if (row !== undefined) return { bytes: Math.max(0, master.status.offset - row.offset), ms: row.lagMs };
  }
  return { bytes: null, ms: null };
}

function memberState({ fresh, status, member }: RedisServer, record: RedisDocument): HealthState {
  if (status === null) return "unknown";
  if (!fresh) return "down";
  if (status.state === "stopped" || status.state === "hung") return "down";
  if (status.state === "starting") return "degraded";
  if (record.mode === "replica-set" && member.standing === "fenced") return "fenced";
  if (status.held || (status.role === "replica" && status.link?.status !== "up")) return "degraded";
  return status.shard?.state === "fail" ? "degraded" : "healthy";
}

interface Explained {
  readonly state: HealthState;
  readonly reason: Reason;
}

function explain(
  record: RedisDocument,
  servers: readonly RedisServer[],
  shards: readonly Shard[],
  migration: Migration | null,
): Explained[] {
  const found: Explained[] = [];
  const add = (state: HealthState, code: string, data: Reason["data"] = {}) =>
    found.push({ state, reason: { code, data } });
  for (const { member, status, fresh } of servers) {
    if (status !== null && !fresh) add("degraded", "redis-agent-lost", { member: member.id });
    else if (status?.state === "stopped") add("degraded", "redis-stopped", { member: member.id });
    else if (status?.state === "hung") add("degraded", "redis-hung", { member: member.id });
    else if (status?.role === "replica" && status.link?.status === "down")
      add("degraded", "redis-link-down", { member: member.id });
  }
  if (record.mode === "cluster") {
    const served = countServed(shards);
    if (served < slots) add("down", "redis-slots-missing", { missing: slots - served, of: slots });
    if (shards.some((shard) => shard.status.state !== "ok")) add("down", "redis-cluster-failing");
    const open = migration === null ? findOpenSlots(shards, record.lastMigration?.shards ?? []).length : 0;
    if (open > 0) add("degraded", "redis-open-slots", { slots: open });
    for (const { master, leader } of findStrays(shards, (migration ?? record.lastMigration)?.shards ?? []))
      add("degraded", "redis-left-behind", { member: master.member.id, leader: leader.master.member.id });
    const followed = shards.some((shard) => shard.replicas.length > 0);
    // Of one that does not answer this is not the trouble, and its replica may have its slots already.
    for (const shard of answeringShards(shards))
      if (followed && shard.status.slotCount > 0 && shard.replicas.length === 0)
        add("degraded", "redis-no-replica", { member: shard.master.member.id });
    if (migration?.lastFailure != null && migration.failures > 0)
      add("degraded", "redis-move-failing", { code: migration.lastFailure.code });
    if (record.openActionId !== null) add("degraded", "failover-running", { action: record.openActionId });
    return found;
  }
  const primary = servers.find((server) => server.member.id === record.primary);
  if (record.epoch === 0) add("unknown", "redis-not-adopted");
  else if (primary?.fresh !== true || primary.status?.role !== "master" || primary.status.state !== "running")
    add("down", "redis-no-primary", { primary: record.primary });
  else if (primary.status.held) add("degraded", "redis-held", { member: primary.member.id });
  if (record.epoch > 0 && record.kInForce < record.k)
    add("degraded", "redis-reduced", { k: record.kInForce, promised: record.k });
  if (record.openActionId !== null) add("degraded", "failover-running", { action: record.openActionId });
  return found;
}

const order: readonly HealthState[] = ["down", "unknown", "degraded"];

function worst(found: readonly Explained[]): HealthState {
  return order.find((state) => found.some((each) => each.state === state)) ?? "healthy";
}

function projectMigration(
  context: ProjectionContext,
  migration: Migration,
  shards: readonly Shard[],
): RedisMigrationView {
  const { live } = context.state;
  const pending = pendingSlots(shards, migration);
  const nameOf = (id: string): string => migration.shards.find((shard) => shard.id === id)?.name ?? id.slice(0, 8);
  const transfers = migration.transfers.map((transfer, index) => {
    const total = expandSlots(transfer.slots).length;
    const lane = migration.lanes.find((each) => each.from === transfer.from && each.to === transfer.to);
    const moved = total - (pending[index]?.length ?? 0);
    return { from: nameOf(transfer.from), to: nameOf(transfer.to), slots: total, moved, underWay: lane !== undefined };
  });
  const keysUnderWay = migration.lanes.reduce((sum, lane) => sum + (live.redisMoves.get(lane.commandId)?.keys ?? 0), 0);
  const slotsMoved = transfers.reduce((sum, transfer) => sum + transfer.moved, 0);
  const elapsedMs = context.now.wallMs - migration.openedAt;
  const rate = elapsedMs >= rateAfterMs && slotsMoved > 0 ? (slotsMoved * 1_000) / elapsedMs : null;
  return {
    id: migration.id,
    migration: migration.migration,
    phase: migration.phase === "stopping" ? "stopping" : "running",
    by: migration.by,
    reason: migration.reason,
    startedAt: migration.openedAt,
    slotsMoved,
    slotsTotal: migration.slotsTotal,
    keysMoved: migration.keysMoved + keysUnderWay,
    slotsPerSecond: rate === null ? null : Math.round(rate * 10) / 10,
    maxSlotsPerSecond: migration.maxSlotsPerSecond,
    leftMs: rate === null ? null : Math.round(((migration.slotsTotal - slotsMoved) * 1_000) / rate),
    transfers,
    lastFailure: migration.lastFailure,
    retryAt: migration.retryAt > context.now.wallMs ? migration.retryAt : null,
    drained: migration.drained === null ? null : nameOf(migration.drained),
  };
}

/** Redis replicates asynchronously: what that means for whoever writes is said here, with the figures of now. */
function explainPromises(record: DocumentOf<"redis">, members: readonly RedisMemberView[]): RedisView["promises"] {
  const replicas = members.filter((member) => member.role === "replica");
  const lagBytes = Math.max(0, ...replicas.map((member) => member.lagBytes ?? 0));
  const persistent = members.length > 0 && members.every((member) => member.persistent === true);
  const common: (Reason & { holds: boolean })[] = [
    { code: "without-wait", holds: false, data: { lagBytes } },
    { code: "persistence", holds: persistent, data: {} },
  ];
  if (record.mode === "cluster") {
    const shared = findSharedNode(members);
    return [
      ...(shared === null ? [] : [{ code: "masters-together", holds: false, data: shared }]),
      { code: "cluster-election", holds: false, data: {} },
      ...common,
      { code: "move-keys", holds: true, data: {} },
      { code: "move-wait", holds: false, data: {} },
      { code: "move-crash", holds: false, data: {} },
    ];
  }
  const k = record.kInForce;
  return [
    { code: "wait", holds: k > 0, data: { k: Math.max(1, k) } },
    ...common,
    { code: "old-master", holds: k > 0, data: { k } },
    { code: "resumed-master", holds: false, data: {} },
  ];
}
