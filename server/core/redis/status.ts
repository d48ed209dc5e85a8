import type { AgentPromise, LocalProbe, ProcessExit } from "../replication/status.ts";

/** What an agent reports of a Redis server beside it. Facts, seen at one moment; nothing here is a judgement. */

export type RedisMode = "replica-set" | "cluster";

export type RedisState =
  /** Answers our commands. */
  | "running"
  /** The process is there and does not answer within its deadline. */
  | "hung"
  /** It loads its data. */
  | "starting"
  | "stopped";

/** A replica's connection to its master. */
export interface RedisLink {
  readonly host: string;
  readonly port: number;
  readonly status: "up" | "down" | "syncing";
  /** Since the last byte from the master, milliseconds (whole seconds, as Redis tells it); null when it never came. */
  readonly ioAgoMs: number | null;
  /** Of a full synchronisation, 0..1. */
  readonly syncProgress: number | null;
}

/** A replica as its master sees it. */
export interface RedisReplicaRow {
  readonly host: string;
  readonly port: number;
  readonly online: boolean;
  readonly offset: number;
  /** Since its last acknowledgement, milliseconds (whole seconds, as Redis tells it). */
  readonly lagMs: number;
}

/** First and last slot, both counted. */
export type SlotRange = readonly [number, number];

/** A neighbour as this node of a Redis Cluster knows it. */
export interface RedisNeighbour {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly role: "master" | "replica";
  readonly masterId: string | null;
  /** `suspected` is Redis's PFAIL, `failed` its FAIL. */
  readonly health: "ok" | "suspected" | "failed";
  readonly linked: boolean;
}

/** What only a server in cluster mode has. */
export interface RedisShardStatus {
  readonly id: string;
  readonly masterId: string | null;
  readonly state: "ok" | "fail";
  readonly currentEpoch: number;
  readonly configEpoch: number;
  /** Slots this node claims for itself. */
  readonly slots: readonly SlotRange[];
  readonly slotCount: number;
  /** Slots served by anybody, as this node sees it. */
  readonly slotsServed: number;
  readonly migrating: readonly { readonly slot: number; readonly to: string }[];
  readonly importing: readonly { readonly slot: number; readonly from: string }[];
  readonly neighbours: readonly RedisNeighbour[];
}

/** Which history a server writes or follows, as `INFO replication` names it. */
export interface RedisHistory {
  /** `master_replid`; null when unknown. */
  readonly replicationId: string | null;
  /** The history it was before (`master_replid2`), and the last offset that both have (`second_repl_offset` − 1); null when there was none. */
  readonly earlier: { readonly replicationId: string; readonly end: number } | null;
}

export interface RedisStatus {
  readonly cluster: string;
  /** Name of the server, unique within its cluster. */
  readonly instance: string;
  readonly mode: RedisMode;
  /** Where peers and clients reach it. */
  readonly host: string;
  readonly port: number;
  readonly state: RedisState;
  readonly role: "master" | "replica" | null;
  readonly version: string | null;
  readonly runId: string | null;
  /** The history this server writes or follows. Offsets of different histories can't be compared. */
  readonly replicationId: string | null;
  /** What that history grew out of; absent from an agent that does not tell it yet. */
  readonly earlier?: RedisHistory["earlier"];
  /** Position in that history: written (master) or applied (replica). Null when unknown; unknown is not zero. */
  readonly offset: number | null;
  readonly link: RedisLink | null;
  readonly replicas: readonly RedisReplicaRow[];
  /** How the agent's own commands fare. */
  readonly probe: LocalProbe;
  /** How this replica's agent reaches the master it follows (or followed last): a witness of its own. */
  readonly masterProbe: (LocalProbe & { readonly host: string; readonly port: number }) | null;
  readonly exit: ProcessExit | null;
  readonly promise: AgentPromise | null;
  readonly promoteIssuedEpoch: number | null;
  /** What the agent was last granted: `none`, `primary`, `standby`, `sealed`, `fenced`, `rejoining`. */
  readonly standing: string;
  /** Writes are paused by the agent until its grant was confirmed. */
  readonly held: boolean;
  /** `min-replicas-to-write` in force. */
  readonly minReplicas: number | null;
  readonly persistent: boolean;
  readonly keys: number | null;
  readonly memoryBytes: number | null;
  readonly maxMemoryBytes: number | null;
  readonly clients: number | null;
  readonly commandsPerSecond: number | null;
  readonly shard: RedisShardStatus | null;
}
