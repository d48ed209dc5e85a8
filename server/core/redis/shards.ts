import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { type RedisDocument, type RedisServer, readServers } from "./servers.ts";
import { slotCount } from "./slots.ts";
import type { RedisShardStatus } from "./status.ts";
import type { ShardRecord } from "./types.ts";

/** A master of a Redis Cluster with its replicas, as they see themselves right now. */
export interface Shard {
  readonly master: RedisServer;
  readonly id: string;
  readonly status: RedisShardStatus;
  readonly replicas: readonly RedisServer[];
}

/** Masters that are heard, each with its replicas; by name. */
export function readShards(state: State, record: RedisDocument, now: Now): Shard[] {
  const servers = readServers(state, record, now).filter((server) => server.fresh && server.status?.shard != null);
  const shards: Shard[] = [];
  for (const master of servers) {
    const status = master.status?.shard;
    if (status == null || master.status?.role !== "master") continue;
    const replicas = servers.filter((server) => server.status?.shard?.masterId === status.id);
    shards.push({ master, id: status.id, status, replicas });
  }
  return shards.sort((a, b) => (a.master.member.id < b.master.member.id ? -1 : 1));
}

/**
 * The owner of every slot by its own claim: nobody else's word counts, and of two claims that with the newer epoch. Null: nobody who is heard
 * claims it.
 */
export function readOwners(shards: readonly Shard[]): (string | null)[] {
  const owners = new Array<string | null>(slotCount).fill(null);
  for (const shard of [...shards].sort((a, b) => a.status.configEpoch - b.status.configEpoch)) {
    for (const [first, last] of shard.status.slots) owners.fill(shard.id, first, last + 1);
  }
  return owners;
}

/** Those whose master answers: one that stands still claims its slots as before, and serves none of them. */
export function answeringShards(shards: readonly Shard[]): Shard[] {
  return shards.filter(({ master }) => master.status?.state === "running");
}

/** The master, now, of a shard that was named when the plan was made; null while it has none that is heard. */
export function findShard(shards: readonly Shard[], planned: ShardRecord): Shard | null {
  const own = shards.filter((shard) => planned.nodeIds.includes(shard.id));
  // A master that came back and has not heard of its successor yet claims an older epoch.
  return own.sort((a, b) => b.status.configEpoch - a.status.configEpoch)[0] ?? null;
}

/** A master that came back with nothing, and who has its shard now. */
export interface StrayMaster {
  readonly master: RedisServer;
  readonly leader: Shard;
}

/**
 * A server that dies while its slots move finds them with others when it is back, and becomes an empty master that nobody follows: Redis makes it a
 * replica by itself only when all of its slots went to one server. `planned`: who belonged together when the move was planned.
 */
export function findStrays(shards: readonly Shard[], planned: readonly ShardRecord[]): StrayMaster[] {
  return shards.flatMap((shard) => {
    const { status, master, replicas } = shard;
    const empty = status.slotCount === 0 && master.status?.keys === 0 && replicas.length === 0;
    if (!empty || status.importing.length > 0 || status.migrating.length > 0) return [];
    const record = planned.find((each) => each.nodeIds.includes(shard.id));
    const leader = record === undefined ? null : findShard(shards, record);
    return leader === null || leader === shard ? [] : [{ master, leader }];
  });
}

/** The master that a replica of a Redis Cluster follows, by the id that the replica names; null when it is none of ours. */
export function masterOf(servers: readonly RedisServer[], replica: RedisServer | null): RedisServer | null {
  const id = replica?.status?.shard?.masterId ?? null;
  const neighbour = replica?.status?.shard?.neighbours.find((each) => each.id === id);
  // A master whose agent is gone has no status; the replica knows its address all the same.
  const isIt = ({ member, status }: RedisServer) =>
    status?.shard?.id === id || (member.host === neighbour?.host && member.port === neighbour.port);
  return id === null ? null : (servers.find(isIt) ?? null);
}

export function recordShard(shard: Shard): ShardRecord {
  const replicas = shard.replicas.map((server) => server.status?.shard?.id ?? "");
  return { id: shard.id, nodeIds: [shard.id, ...replicas.filter((id) => id !== "")], name: shard.master.member.id };
}
