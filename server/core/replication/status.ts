import type { Lsn } from "./lsn.ts";

/**
 * What an agent reports of itself. These are facts, seen by one agent at one moment; nothing here is a judgement.
 * A whole status comes with every heartbeat and at once when something changes, so the core never has to remember
 * what it missed.
 */

/** What the agent promised on its own disk: it refuses commands below it. See docs/failover.md, "Records". */
export interface AgentPromise {
  readonly epoch: number;
  /** The intent that opened the epoch. An equal epoch under another intent is refused: two deciders can't both act. */
  readonly intentId: string;
  /** The highest step of that intent that the agent has accepted. */
  readonly step: number;
  /** The highest version of the synchronous configuration that the agent was told. */
  readonly configVersion: number;
}

/** What an asynchronous primary goes on under. See docs/decisions/async.md. */
export interface LeaseTerms {
  /** How long the primary may go on after the request that was last granted, milliseconds by its own monotonic clock. */
  readonly durationMs: number;
  /** How far it may run ahead of its standbys while nobody renews, bytes of WAL. */
  readonly maxLagBytes: number;
}

/** One synchronous configuration: `ANY k (members)`. `k = 0` means asynchronous. */
export interface SyncConfiguration {
  readonly epoch: number;
  readonly version: number;
  readonly k: number;
  /** Node ids, sorted. With a lease: those who may renew it. */
  readonly members: readonly string[];
  /** Only in asynchronous mode, and only while there is a standby that could take over. */
  readonly lease?: LeaseTerms | undefined;
}

/** The lease of an asynchronous primary, as its own agent keeps it. */
export interface LeaseStatus {
  readonly epoch: number;
  /** Number of the request that this status makes. Whoever renews names it; the time counts from when it was made. */
  readonly ask: number;
  /** What is left of it, milliseconds; 0 when it has run out or was never granted. */
  readonly leftMs: number;
}

export type PostgresState =
  /** Accepts our SQL. */
  | "running"
  /** The process is there and does not answer within its deadline. */
  | "hung"
  | "starting"
  | "stopped"
  /** A clone or rewind is under way. */
  | "rejoining"
  /** No data directory yet. */
  | "empty";

export interface ReplicationRow {
  readonly applicationName: string;
  /** The member this walsender feeds, read from the application name; null for a stranger. */
  readonly node: string | null;
  readonly state: string;
  readonly syncState: "sync" | "quorum" | "potential" | "async";
  readonly sentLsn: Lsn | null;
  readonly writeLsn: Lsn | null;
  readonly flushLsn: Lsn | null;
  readonly replayLsn: Lsn | null;
  /** `pg_stat_replication.replay_lag`, milliseconds; null when idle. */
  readonly replayLagMs: number | null;
}

export interface WalReceiver {
  readonly status: "streaming" | "starting" | "none";
  readonly senderHost: string | null;
  readonly senderPort: number | null;
  readonly receivedLsn: Lsn | null;
  /** How long ago the received position last moved or a message last came in, milliseconds, by the agent's clock. */
  readonly advancedAgoMs: number | null;
}

/** How the agent's own SQL fares on its own server. */
export interface LocalProbe {
  readonly ok: boolean;
  /** Duration of the last good probe, milliseconds. */
  readonly ms: number | null;
  /** How long it has been failing, milliseconds; 0 when ok. */
  readonly failingForMs: number;
  /** `timeout`, `refused`, `closed`, or PostgreSQL's SQLSTATE. */
  readonly reason: string | null;
}

export interface ProcessExit {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
  /** True when the agent is the parent and reaped it (proof); false when it saw the process gone. Both are proof of death. */
  readonly reaped: boolean;
  readonly agoMs: number;
}

/** Response times of one and the same query. `R = Ts / Tr` divides the primary's by the replica's. */
export interface ResponseTime {
  readonly meanMs: number;
  readonly samples: number;
  readonly windowMs: number;
}

/** A prepared transaction of a database: its work is done and holds locks, its end is decided elsewhere. */
export interface InDoubtTransaction {
  readonly gid: string;
  readonly database: string;
  readonly owner: string;
  readonly ageMs: number;
  /** Transactions begun since: nothing newer than it can be vacuumed away. Null: unknown. */
  readonly xidAge: number | null;
  /** Relations it holds locks on, by name where it could be read; the first few. */
  readonly relations: readonly string[];
  readonly lockCount: number;
  /** Sessions that wait for what it holds. */
  readonly waiting: number;
  readonly longestWaitMs: number | null;
}

export interface PostgresStatus {
  readonly cluster: string;
  /** Where peers and clients reach this server. */
  readonly host: string;
  readonly port: number;
  readonly state: PostgresState;
  readonly role: "primary" | "standby" | null;
  readonly systemId: string | null;
  readonly version: string | null;
  readonly timeline: number | null;
  /** Primary: current flush position. Standby: max(receive, replay). Null when unknown; unknown is not zero. */
  readonly lsn: Lsn | null;
  readonly replayLsn: Lsn | null;
  readonly replayPaused: boolean;
  /** Milliseconds since the last replayed transaction while WAL is outstanding; 0 when caught up; null on a primary. */
  readonly replayLagMs: number | null;
  readonly receiver: WalReceiver | null;
  readonly replication: readonly ReplicationRow[];
  /** `synchronous_standby_names` in force. */
  readonly synchronousStandbyNames: string | null;
  /** Heartbeat row with `synchronous_commit = local` on a primary, `SELECT` on a standby. */
  readonly probe: LocalProbe;
  /** A commit that waits for synchronous standbys; primary only. */
  readonly syncProbe: LocalProbe | null;
  readonly exit: ProcessExit | null;
  readonly promise: AgentPromise | null;
  /** Every configuration the agent was told since the last sealed epoch. */
  readonly configurations: readonly SyncConfiguration[];
  /** True when this member ever issued promote for an epoch that it was not granted in the end. */
  readonly promoteIssuedEpoch: number | null;
  readonly connections: number | null;
  readonly preparedTransactions: number | null;
  readonly longestTransactionMs: number | null;
  /** Oldest first, bounded; absent from agents that don't look. */
  readonly inDoubt?: readonly InDoubtTransaction[] | undefined;
  readonly response: ResponseTime | null;
  /** True when a rewind could be tried (the binary is there and the settings allow it). */
  readonly canRewind: boolean;
  /** The operator asked this empty member to become the first primary of a new cluster. */
  readonly initialize: boolean;
  /** Where the agent holds the grant of an asynchronous primary. */
  readonly lease?: LeaseStatus | undefined;
  /** A watchdog resets this machine when a primary would outlive its lease. Absent: none. */
  readonly watchdog?: boolean | undefined;
}

/** How one node sees another. */
export interface PeerSight {
  readonly node: string;
  readonly cluster: string | null;
  /** Whether the last SQL (or TCP/HTTP) probe of the peer succeeded. */
  readonly reach: "ok" | "failed" | "unknown";
  /**
   * `accepted-silent`: TCP connects, nothing answers (a stopped process). `timeout`: no TCP answer (host or network gone).
   * `refused`: the host answers, nothing listens. `closed`: an open connection ended.
   */
  readonly reason: "accepted-silent" | "timeout" | "refused" | "closed" | "error" | null;
  readonly failingForMs: number;
  readonly responseMs: number | null;
  readonly response: ResponseTime | null;
}

export interface HostMetrics {
  /** Share of all cores in use, 0..1. */
  readonly cpu: number;
  readonly load1: number;
  readonly cores: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly diskUsedBytes: number;
  readonly diskTotalBytes: number;
  readonly networkRxBytesPerSecond: number;
  readonly networkTxBytesPerSecond: number;
}

export interface CheckResult {
  readonly name: string;
  readonly kind: "tcp" | "http" | "sql" | "process" | "file";
  /** The node the check looks at: the agent's own, or a declared peer. */
  readonly subject: string;
  readonly ok: boolean;
  readonly ms: number | null;
  /** What came back, or what went wrong; text from a node, to be treated as hostile. */
  readonly detail: string;
  readonly failingForMs: number;
}

/** What an application says of its own writes: the client's view, the only one that counts for "unavailable". */
export interface WorkloadReport {
  readonly name: string;
  readonly cluster: string;
  readonly writesPerSecond: number;
  readonly latencyMeanMs: number | null;
  readonly latencyP95Ms: number | null;
  readonly acknowledged: number;
  readonly failed: number;
  /** Acknowledged writes that were looked for after a failover and not found; null until audited. */
  readonly lost: number | null;
  readonly auditedAt: number | null;
  /** Wall-clock milliseconds of the last acknowledged write. */
  readonly lastAcknowledgedAt: number | null;
  /** Current gap without an acknowledged write, milliseconds. */
  readonly unavailableForMs: number;
  /** The last gap beyond 100 ms that has ended. */
  readonly lastOutage: { readonly fromMs: number; readonly toMs: number } | null;
  /** Node whose server acknowledged last. */
  readonly writingTo: string | null;
}
