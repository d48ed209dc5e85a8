import type {
  Automation,
  HealthState,
  LastMigration,
  LocalProbe,
  Maintenance,
  MigrationKind,
  MigrationPlan,
  Reason,
  RedisEpoch,
  RedisFailoverPlan,
  RedisLink,
  RedisMode,
  RedisNeighbour,
  RedisState,
  SlotRange,
} from "../core/index.ts";

/** One Redis server of a cluster. */
export interface RedisMemberView {
  readonly id: string;
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly state: HealthState;
  readonly server: RedisState | null;
  /** Its agent is heard: what stands here is of now. */
  readonly fresh: boolean;
  readonly role: "master" | "replica" | null;
  /** Replica sets: `new`, `member` (counts for the quorum), `fenced`. */
  readonly standing: "new" | "member" | "fenced";
  /** Replica sets: the epoch promised on the agent's own disk. */
  readonly promisedEpoch: number | null;
  readonly held: boolean;
  readonly version: string | null;
  readonly offset: number | null;
  readonly replicationId: string | null;
  readonly link: RedisLink | null;
  /** Behind its master: bytes by the offsets, time by the master's last word from it. Null on a master, or when unknown. */
  readonly lagBytes: number | null;
  readonly lagMs: number | null;
  readonly probe: LocalProbe | null;
  readonly persistent: boolean | null;
  readonly keys: number | null;
  readonly memoryBytes: number | null;
  readonly maxMemoryBytes: number | null;
  readonly clients: number | null;
  readonly commandsPerSecond: number | null;
  readonly shard: RedisShardView | null;
}

/** What only a member of a Redis Cluster has. */
export interface RedisShardView {
  readonly id: string;
  readonly masterId: string | null;
  readonly state: "ok" | "fail";
  readonly configEpoch: number;
  readonly currentEpoch: number;
  readonly slots: readonly SlotRange[];
  readonly slotCount: number;
  readonly migrating: readonly { readonly slot: number; readonly to: string }[];
  readonly importing: readonly { readonly slot: number; readonly from: string }[];
  readonly neighbours: readonly RedisNeighbour[];
}

export interface RedisMigrationView {
  readonly id: string;
  readonly migration: MigrationKind;
  readonly phase: "running" | "stopping";
  readonly by: string;
  readonly reason: string;
  readonly startedAt: number;
  readonly slotsMoved: number;
  readonly slotsTotal: number;
  readonly keysMoved: number;
  readonly slotsPerSecond: number | null;
  /** The limit it was begun with. */
  readonly maxSlotsPerSecond: number | null;
  readonly leftMs: number | null;
  readonly transfers: readonly {
    /** Names of the shards' masters. */
    readonly from: string;
    readonly to: string;
    readonly slots: number;
    readonly moved: number;
    readonly underWay: boolean;
  }[];
  readonly lastFailure: { readonly code: string; readonly detail: string; readonly at: number } | null;
  readonly retryAt: number | null;
  readonly drained: string | null;
}

/** A Redis replica set or Redis Cluster. */
export interface RedisView {
  readonly entity: "redis";
  readonly id: string;
  readonly mode: RedisMode;
  readonly state: HealthState;
  readonly reasons: readonly Reason[];
  readonly stateSince: number;
  /** Replica set: the primary granted. Redis Cluster: null, its shards have one each. */
  readonly primary: string | null;
  readonly epoch: number;
  readonly epochs: readonly RedisEpoch[];
  readonly k: number;
  readonly kInForce: number;
  readonly automation: Automation;
  readonly maintenance: Maintenance | null;
  readonly members: readonly RedisMemberView[];
  readonly openActionId: string | null;
  readonly openIncidentId: string | null;
  /** Redis Cluster: slots claimed by masters that are heard. */
  readonly slotsServed: number | null;
  /** Slots in the middle of a move that no migration of ours is working on. */
  readonly openSlots: number;
  /** The same slots with the masters that have their keys: the one that serves them, and where they were going (null: nobody who is heard). */
  readonly open: readonly {
    readonly from: string | null;
    readonly to: string | null;
    readonly slots: readonly SlotRange[];
  }[];
  readonly migration: RedisMigrationView | null;
  readonly lastMigration: LastMigration | null;
  /** What this cluster can and can't promise, now: message keys below `redis.promise.` with their values. */
  readonly promises: readonly (Reason & { readonly holds: boolean })[];
}

export interface RedisFailoverPlanView extends RedisFailoverPlan {
  /** The same by command line. */
  readonly command: string;
}

export interface RedisPlanView extends MigrationPlan {
  /** The same by command line. */
  readonly command: string;
}
