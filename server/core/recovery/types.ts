import type { RedisHistory } from "../redis/status.ts";
import type { Lsn } from "../replication/lsn.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import type { Reason } from "../topology/health-state.ts";
import type { Maintenance } from "../topology/types.ts";

export type Durability =
  | { readonly mode: "sync"; readonly k: number }
  | { readonly mode: "async"; readonly maxLagBytes: number };

/** What a promotion may cost in asynchronous mode: WAL of the old primary that the candidate does not hold. */
export interface PossibleLoss {
  /** By the last position that was heard of the old primary; null when none was heard. */
  readonly knownBytes: number | null;
  /** With what it may have written since then, by the rate seen before; null when unknown. */
  readonly atMostBytes: number | null;
}

/** How it is known that the old primary takes no more writes. */
export type FencingProof = "shutdown" | "agent" | "hook" | "lease" | "operator";

export interface Automation {
  readonly state: "on" | "held" | "off";
  readonly by: string;
  /** Message key below `automation.reason.` or a person's words. */
  readonly reason: string;
  readonly at: number;
}

/** One grant of the primary role. The list is the cluster's history. */
export interface EpochRecord {
  readonly epoch: number;
  readonly intentId: string;
  readonly primary: string;
  readonly timeline: number | null;
  /** Where this epoch's history leaves the one before. */
  readonly switchLsn: Lsn | null;
  readonly at: number;
  readonly cause: "initialize" | "adopt" | "failover" | "switchover" | "regrant";
  readonly by: string;
  readonly reason: string;
  readonly actionId: string | null;
  readonly unavailableMs: number | null;
  readonly lost: number | null;
  /** Asynchronous failovers only: what was announced, and how the old primary was fenced. */
  readonly possibleLoss?: PossibleLoss | undefined;
  readonly fencedBy?: FencingProof | undefined;
}

export interface MemberRecord {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /**
   * `new`: has no data or not yet cloned. `member`: streams in the primary's history. `fenced`: sealed out, must rejoin before it counts.
   * `quarantined`: on a history nobody granted; clone only, after a person looked.
   */
  readonly standing: "new" | "member" | "fenced" | "quarantined";
  /** Must be cloned, never rewound: it was told to promote or follow an intent that did not win. */
  readonly cloneOnly: boolean;
  /** Higher is preferred between equal LSNs; 0 is never chosen automatically. */
  readonly priority: number;
  /** Its agent has said that a watchdog enforces the lease there. Durable: it must be known when the agent is gone. */
  readonly watchdog?: boolean | undefined;
}

/** A PostgreSQL cluster under Holdfast. Durable, committed before anything is done. */
export interface ClusterRecord {
  readonly id: string;
  readonly kind: "postgres";
  readonly epoch: number;
  /** Intent that opened `epoch`: part of every grant. */
  readonly grantId: string | null;
  readonly primary: string | null;
  readonly systemId: string | null;
  readonly durability: Durability;
  readonly automation: Automation;
  readonly members: Readonly<Record<string, MemberRecord>>;
  /** Every synchronous configuration that may be in force, oldest first. The quorum rule holds for each of them. */
  readonly configurations: readonly SyncConfiguration[];
  /** The last configuration version given out. */
  readonly configVersion: number;
  readonly epochs: readonly EpochRecord[];
  /** The open exclusive action (failover, switchover, initialize, adopt, reconfigure). */
  readonly openActionId: string | null;
  /** Highest epoch ever given to an intent, won or not. The next intent takes one more. */
  readonly highestEpoch: number;
  /** Highest timeline number ever given to an intent, won or not: no two histories may share one. */
  readonly highestTimeline: number;
  /** Grows with every command sent under any grant of this cluster; agents refuse to go back within one intent. */
  readonly commandStep: number;
  /** Wall-clock times of automatic failovers that used the budget. */
  readonly budgetUsedAt: readonly number[];
  readonly maintenance: Maintenance | null;
  /** Whether the preflight has passed once; until then automation is held. */
  readonly preflightPassedAt: number | null;
}

export type ActionKind = "initialize" | "adopt" | "failover" | "switchover" | "reconfigure" | "rejoin" | "restart";

export type ActionPhase = "running" | "done" | "failed" | "compensated" | "needs-operator" | "aborted";

export type StepStatus = "pending" | "running" | "done" | "failed" | "unknown" | "skipped";

/** A part of an action: one command to one node, or one judgement of the control plane. */
export interface Step {
  /** Message key below `step.`: `seal`, `decide`, `promote`, `follow`, `verify`, … */
  readonly kind: string;
  readonly node: string | null;
  readonly status: StepStatus;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly commandId: string | null;
  /** Progress 0..1 of a long step; null when it has none. */
  readonly progress: number | null;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/** What a seal came back with. */
export interface SealedMember {
  readonly node: string;
  readonly timeline: number;
  readonly lsn: Lsn;
  readonly configurations: readonly SyncConfiguration[];
  /** Redis: the history in which `lsn` is an offset. */
  readonly history?: RedisHistory;
}

export interface CandidateVerdict {
  readonly node: string;
  readonly chosen: boolean;
  readonly eligible: boolean;
  /** Message key below `candidate.` and its values. */
  readonly reason: Reason;
}

/** One preflight check: name, value, limit, outcome. */
export interface PlanCheck {
  /** Message key below `check.`. */
  readonly code: string;
  readonly status: "pass" | "warn" | "block";
  readonly value: string;
  readonly limit: string | null;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/** What an action would do, judged now. Running it under another hash is refused. */
export interface Plan {
  readonly kind: "failover" | "switchover" | "rejoin";
  readonly cluster: string;
  readonly target: string | null;
  readonly planHash: string;
  readonly checks: readonly PlanCheck[];
  readonly runnable: boolean;
  readonly before: { readonly primary: string | null; readonly sync: readonly string[]; readonly epoch: number };
  readonly after: { readonly primary: string; readonly sync: readonly string[]; readonly epoch: number } | null;
  readonly candidates: readonly CandidateVerdict[];
  /** Sessions that will have to reconnect. */
  readonly sessions: number | null;
  readonly expectedUnavailableMs: number | null;
  /** Bytes that may be lost; 0 in sync mode, null when nobody knows. */
  readonly possibleLossBytes: number | null;
  /** Asynchronous failover only: how the old primary would be fenced. `operator`: a person has to confirm that it is down. */
  readonly fencing: Exclude<FencingProof, "shutdown"> | null;
  readonly wayBack: Reason;
}

/** The end of a primary's WAL as it was last heard. */
export interface WalEnd {
  readonly lsn: Lsn;
  /** How long before the intent that was, milliseconds. */
  readonly agoMs: number;
  /** The highest rate of late. */
  readonly bytesPerSecond: number;
}

/** A privileged operation: intent first, then steps. Durable. */
export interface Action {
  readonly id: string;
  readonly kind: ActionKind;
  readonly cluster: string;
  readonly phase: ActionPhase;
  /** Machine state inside `running`: `demoting`, `sealing`, `promoting`, `verifying`, … by kind. */
  readonly state: string;
  /** Unique to this intent; agents compare it. */
  readonly intentId: string;
  /** The epoch this intent opens (failover, switchover, initialize, adopt) or works under (others). */
  readonly epoch: number;
  readonly by: string;
  readonly automatic: boolean;
  readonly reason: string;
  readonly incidentId: string | null;
  /** Failover and switchover: who was primary before. */
  readonly from: string | null;
  /** Chosen candidate, or the node being rejoined or restarted. */
  readonly target: string | null;
  readonly steps: readonly Step[];
  readonly sealed: readonly SealedMember[];
  readonly candidates: readonly CandidateVerdict[];
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Wall clock of the first signal that led here. */
  readonly firstSignalAt: number | null;
  /** When the verdict was reached, wall clock. */
  readonly decidedAt: number | null;
  /** True once any promote command of this intent may have left: then it can only go forward. */
  readonly promoteSent: boolean;
  /** The configuration being introduced (reconfigure), or the winner's M'. */
  readonly configuration: SyncConfiguration | null;
  readonly failure: {
    readonly code: string;
    readonly data: Readonly<Record<string, string | number | boolean | null>>;
  } | null;
  /** Asynchronous failovers only: where the old primary's WAL was last heard to end, and how fast it grew. */
  readonly primaryEnd?: WalEnd | undefined;
  /** Asynchronous failovers only: a higher possible loss than this is refused; null: unknown was accepted, too. */
  readonly acceptedLossBytes?: number | null | undefined;
}
