import type {
  RedisHistory,
  RedisLink,
  RedisNeighbour,
  RedisReplicaRow,
  RedisShardStatus,
  SlotRange,
} from "../../../server/core/index.ts";
import { limits } from "../../../server/protocol/limits.ts";

/** Reads what `INFO`, `CLUSTER INFO` and `CLUSTER NODES` answer. Pure. */

export type Info = ReadonlyMap<string, string>;

export function parseInfo(text: string): Info {
  const info = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) info.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return info;
}

export function numberOf(info: Info, key: string): number | null {
  const text = info.get(key);
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

export function roleOf(info: Info): "master" | "replica" | null {
  const role = info.get("role");
  return role === "master" ? "master" : role === "slave" ? "replica" : null;
}

/**
 * Written by a master, applied by a replica; null where there is none to speak of. A replica that was told to follow and has never finished a
 * synchronization says 0 or 1 (`genRedisInfoString` without a master, own or cached): it holds nothing, and must not be counted as if it did.
 */
export function offsetOf(info: Info): number | null {
  if (roleOf(info) !== "replica") return numberOf(info, "master_repl_offset");
  const applied = numberOf(info, "slave_repl_offset");
  return applied !== null && applied > 1 ? applied : null;
}

/** Offsets can be compared only within one history: two servers at the same number may hold different data. */
export function historyOf(info: Info): RedisHistory {
  const before = info.get("master_replid2");
  const first = numberOf(info, "second_repl_offset");
  const known = before !== undefined && !/^0+$/.test(before) && first !== null && first > 0;
  return {
    replicationId: info.get("master_replid") ?? null,
    earlier: known ? { replicationId: before, end: first - 1 } : null,
  };
}

export function linkOf(info: Info): RedisLink | null {
  const host = info.get("master_host");
  const port = numberOf(info, "master_port");
  if (roleOf(info) !== "replica" || host === undefined || port === null) return null;
  const syncing = info.get("master_sync_in_progress") === "1";
  const ago = numberOf(info, "master_last_io_seconds_ago");
  const total = numberOf(info, "master_sync_total_bytes");
  const read = numberOf(info, "master_sync_read_bytes");
  return {
    host,
    port,
    status: syncing ? "syncing" : info.get("master_link_status") === "up" ? "up" : "down",
    ioAgoMs: ago === null || ago < 0 ? null : ago * 1_000,
    syncProgress: syncing && total !== null && read !== null && total > 0 ? Math.min(1, read / total) : null,
  };
}

export function replicasOf(info: Info): readonly RedisReplicaRow[] {
  const rows: RedisReplicaRow[] = [];
  for (const [key, value] of info) {
    if (!/^slave\d+$/.test(key)) continue;
    const parts = new Map(value.split(",").map((part) => part.split("=", 2) as [string, string]));
    rows.push({
      host: parts.get("ip") ?? "",
      port: Number(parts.get("port") ?? 0),
      online: parts.get("state") === "online",
      offset: Number(parts.get("offset") ?? 0),
      lagMs: Math.max(0, Number(parts.get("lag") ?? 0)) * 1_000,
    });
  }
  return rows.slice(0, limits.maxPeers);
}

/** Keys of all databases. */
export function keysOf(info: Info): number {
  let keys = 0;
  for (const [key, value] of info) {
    if (/^db\d+$/.test(key)) keys += Number(/keys=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return keys;
}

interface NodeLine {
  readonly neighbour: RedisNeighbour;
  readonly myself: boolean;
  readonly configEpoch: number;
  readonly slots: readonly SlotRange[];
  readonly migrating: RedisShardStatus["migrating"];
  readonly importing: RedisShardStatus["importing"];
}

/** One line of `CLUSTER NODES`: id, address, flags, master, ping, pong, epoch, link, slots. */
function parseNodeLine(line: string): NodeLine | null {
  const [id, address, flagText, master, , , epoch, link, ...owned] = line.trim().split(" ");
  if (id === undefined || address === undefined || flagText === undefined || !/^[0-9a-f]{40}$/.test(id)) return null;
  const flags = flagText.split(",");
  if (flags.includes("noaddr") || flags.includes("handshake")) return null;
  const [hostAndPort = ""] = (address.split(",", 1)[0] ?? "").split("@", 1);
  const colon = hostAndPort.lastIndexOf(":");
  return {
    neighbour: {
      id,
      host: hostAndPort.slice(0, colon).replace(/^\[|\]$/g, ""),
      port: Number(hostAndPort.slice(colon + 1)),
      role: flags.includes("master") ? "master" : "replica",
      masterId: master === undefined || master === "-" ? null : master,
      health: flags.includes("fail") ? "failed" : flags.includes("fail?") ? "suspected" : "ok",
      linked: flags.includes("myself") || link === "connected",
    },
    myself: flags.includes("myself"),
    configEpoch: Number(epoch ?? 0),
    slots: owned.filter((word) => !word.startsWith("[")).map(parseRange),
    migrating: readOpenSlots(owned, "->-").map(([slot, to]) => ({ slot, to })),
    importing: readOpenSlots(owned, "-<-").map(([slot, from]) => ({ slot, from })),
  };
}

function parseRange(word: string): SlotRange {
  const [first, last] = word.split("-").map(Number);
  return [first ?? 0, last ?? first ?? 0];
}

/** `[93->-id]` migrating to, `[77-<-id]` importing from. */
function readOpenSlots(words: readonly string[], arrow: string): (readonly [number, string])[] {
  return words
    .filter((word) => word.startsWith("[") && word.includes(arrow))
    .slice(0, 64)
    .map((word) => {
      const [slot, id] = word.slice(1, -1).split(arrow);
      return [Number(slot), id ?? ""] as const;
    });
}

export function countSlots(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

export function parseShard(nodesText: string, clusterInfo: Info): RedisShardStatus | null {
  const lines = nodesText
    .split("\n")
    .map(parseNodeLine)
    .filter((line) => line !== null);
  const self = lines.find((line) => line.myself);
  if (self === undefined) return null;
  const served = lines.filter((line) => line.neighbour.health !== "failed");
  return {
    id: self.neighbour.id,
    masterId: self.neighbour.masterId,
    state: clusterInfo.get("cluster_state") === "ok" ? "ok" : "fail",
    currentEpoch: numberOf(clusterInfo, "cluster_current_epoch") ?? 0,
    configEpoch: self.configEpoch,
    slots: self.slots.slice(0, limits.maxSlotRanges),
    slotCount: countSlots(self.slots),
    slotsServed: served.reduce((sum, line) => sum + countSlots(line.slots), 0),
    migrating: self.migrating,
    importing: self.importing,
    neighbours: lines
      .filter((line) => !line.myself)
      .map((line) => line.neighbour)
      .slice(0, limits.maxRedisNodes),
  };
}
