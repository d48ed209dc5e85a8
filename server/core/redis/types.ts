import type { Automation } from "../recovery/types.ts";
import type { Maintenance } from "../topology/types.ts";
import type { RedisHistory, RedisMode, SlotRange } from "./status.ts";

/** A Redis server that belongs to a cluster of ours. */
export interface RedisMember {
  /** Its name; unique within the cluster. */
  readonly id: string;
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /**
   * Replica sets only. `new`: not told to follow yet. `member`: may acknowledge writes of the primary, so it counts for the quorum.
   * `fenced`: left behind or lost for long; counts again once it was told to follow.
   */
  readonly standing: "new" | "member" | "fenced";
}

/** Histories of a replica set, by the word of its masters. */
export interface RedisLineage {
  /** Of the master that is granted. Its own id is null from the promotion until the master says it. */
  readonly current: RedisHistory;
  /** Ids that the same master wrote under, in the same epoch, until it was started again; newest last. */
  readonly before: readonly string[];
  /** Ids of histories that were left: who is still on one of them has confirmed nothing since. Newest last. */
  readonly left: readonly string[];
}

export interface RedisEpoch {
  readonly epoch: number;
  readonly intentId: string;
  readonly primary: string;
  readonly cause: "adopt" | "failover" | "switchover" | "regrant";
  readonly by: string;
  readonly at: number;
  readonly actionId: string | null;
  /** Where this epoch's history leaves the one before. */
  readonly offset: number | null;
  /** Bytes of the old history that were given up when the old master came back; null until it did. */
  readonly givenUpBytes: number | null;
}

/** A replica set or a Redis Cluster under Holdfast. Durable, committed before anything is done. */
export interface RedisRecord {
  readonly mode: RedisMode;
  readonly epoch: number;
  /** Highest epoch ever given to an intent, won or not. */
  readonly highestEpoch: number;
  readonly grantId: string | null;
  /** Replica sets only: a Redis Cluster elects its masters itself. */
  readonly primary: string | null;
  /** Replicas that have to confirm: `min-replicas-to-write`, and what writers pass to `WAIT`. */
  readonly k: number;
  /** `k` in force: lower while too few replicas are left, and shown as reduced durability. */
  readonly kInForce: number;
  readonly configVersion: number;
  readonly automation: Automation;
  readonly members: Readonly<Record<string, RedisMember>>;
  readonly epochs: readonly RedisEpoch[];
  /** Replica sets: null (or absent, in a record from before it was kept) until the master has said its history. */
  readonly lineage?: RedisLineage | null;
  readonly openActionId: string | null;
  readonly commandStep: number;
  readonly budgetUsedAt: readonly number[];
  readonly maintenance: Maintenance | null;
  /** Redis Cluster: the last move that ended; its way back is planned from it. */
  readonly lastMigration: LastMigration | null;
}

export interface LastMigration {
  readonly id: string;
  readonly migration: MigrationKind;
  readonly phase: "done" | "aborted" | "failed";
  readonly openedAt: number;
  readonly closedAt: number;
  readonly slotsMoved: number;
  readonly slotsTotal: number;
  readonly keysMoved: number;
  readonly by: string;
  readonly failure: { readonly code: string; readonly detail: string; readonly at: number } | null;
  readonly transfers: readonly SlotTransfer[];
  readonly shards: readonly ShardRecord[];
}

/** `close`: brings slots that an ended or failed move left open to where they were going, and nothing else. */
export type MigrationKind = "rebalance" | "drain" | "reverse" | "close";

/** Slots that go from one shard to another. Shards are named by the id that their master had when the plan was made. */
export interface SlotTransfer {
  readonly from: string;
  readonly to: string;
  readonly slots: readonly SlotRange[];
}

/** A shard at the time of the plan: any of its servers may be its master by the time a slot moves. */
export interface ShardRecord {
  readonly id: string;
  /** Ids of all of its servers, the master first. */
  readonly nodeIds: readonly string[];
  readonly name: string;
}

/** One command under way. */
export interface MigrationLane {
  readonly commandId: string;
  readonly from: string;
  readonly to: string;
  readonly slots: readonly SlotRange[];
  readonly source: string;
  readonly node: string;
  readonly startedAt: number;
}

/**
 * A move of slots. Says what is wanted; how far it has come is read from the servers, every time: whatever dies, the rest is what is left to do.
 * Closed when it has ended.
 */
export interface RedisMigrationRecord {
  readonly cluster: string;
  readonly migration: MigrationKind;
  readonly phase: "running" | "stopping" | "done" | "aborted" | "failed";
  readonly by: string;
  readonly reason: string;
  readonly transfers: readonly SlotTransfer[];
  readonly shards: readonly ShardRecord[];
  /** The shard being emptied. */
  readonly drained: string | null;
  /** Of all sources together; null: as fast as they can. */
  readonly maxSlotsPerSecond: number | null;
  /** Which copy stays of a key on both sides, where nobody can see which is the later one; null (or absent): such a key ends the move. */
  readonly keep?: "source" | "target" | null;
  readonly slotsTotal: number;
  readonly slotsMoved: number;
  readonly keysMoved: number;
  readonly keysReplaced: number;
  readonly lanes: readonly MigrationLane[];
  readonly commands: number;
  /** Failures in a row; one slot that moves clears them. */
  readonly failures: number;
  readonly lastFailure: { readonly code: string; readonly detail: string; readonly at: number } | null;
  /** Not before this time, wall clock: a failure is not repeated at once. */
  readonly retryAt: number;
  readonly stoppedBy: string | null;
  /** The migration whose way back this is. */
  readonly reverses: string | null;
  readonly incidentId: string | null;
}
