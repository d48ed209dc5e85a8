import { findShard, readOwners, type Shard } from "./shards.ts";
import type { ShardRecord } from "./types.ts";

/** A slot in the middle of a move: some of its keys are on one master and some on the other. */
export interface OpenSlot {
  readonly slot: number;
  /** The shard that serves it (or, when the other one has it already, the one that does not know it yet). */
  readonly from: string;
  /** The shard that it was going to; null when nobody who is heard is it. */
  readonly to: string | null;
}

/**
 * Slots that are open on either side, by number, each the way it was going. After an election only the receiving master may know of it: Redis does
 * not tell a replica what its master was moving. `planned` names who belonged together when a move was planned.
 */
export function findOpenSlots(shards: readonly Shard[], planned: readonly ShardRecord[]): readonly OpenSlot[] {
  const owners = readOwners(shards);
  const found = new Map<number, OpenSlot>();
  const add = (open: OpenSlot) => {
    if (open.from !== open.to && found.get(open.slot)?.to == null) found.set(open.slot, open);
  };
  for (const { id, status } of shards) {
    for (const { slot, to } of status.migrating) {
      const owner = owners[slot] ?? null;
      // It has arrived: only this one goes on sending clients away.
      if (owner !== null && owner !== id) add({ slot, from: id, to: owner });
      else add({ slot, from: id, to: shardOf(shards, planned, to)?.id ?? null });
    }
    for (const { slot } of status.importing) {
      const owner = owners[slot] ?? null;
      if (owner !== null && owner !== id) add({ slot, from: owner, to: id });
    }
  }
  return [...found.values()].sort((a, b) => a.slot - b.slot);
}

/** The shard, as it is now, that a server with this id belongs or belonged to. */
function shardOf(shards: readonly Shard[], planned: readonly ShardRecord[], id: string): Shard | null {
  const now = shards.find((shard) => shard.id === id || shard.replicas.some(({ status }) => status?.shard?.id === id));
  if (now !== undefined) return now;
  const record = planned.find((each) => each.nodeIds.includes(id));
  return record === undefined ? null : findShard(shards, record);
}
