import type { HostFault } from "./host-faults.ts";

/** The record that is the product: what was seen, judged and done, by whom. Everything here is code and data; words are made on the screen. */

export type Lane = "signal" | "verdict" | "action" | "person";
export type Severity = 1 | 2 | 3 | 4;
export type IncidentPhase = "open" | "acknowledged" | "mitigated" | "resolved" | "closed";
export type FaultClass = "hardware" | "software" | "network" | "load" | "change" | "unknown";

export type SubjectKind = "node" | "service" | "cluster" | "link" | "control-plane";
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

/** One fact that speaks for or against a judgement: who saw what, when, with which value. */
export interface Evidence {
  /** Message key below `evidence.`, such as `agent-socket-closed` or `wal-stream-ended`. */
  readonly code: string;
  /** Who saw it: a node id or `control-plane`. */
  readonly observer: string;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
  /** Whether it speaks for (`for`) or against (`against`) the judgement. */
  readonly stance: "for" | "against";
  /** Wall clock at which it began to be so, milliseconds; absent when it has no beginning. */
  readonly at?: number;
  /** What one can look at: the excerpt that made it evidence. */
  readonly exhibit?: Exhibit;
}

/** An excerpt of telemetry, small enough to be part of the record: it outlives the telemetry itself. */
export type Exhibit =
  | {
      readonly kind: "series";
      readonly subject: string;
      readonly metric: string;
      /** Wall clock of the first sample, and the time between two. */
      readonly fromAt: number;
      readonly stepMs: number;
      readonly values: readonly (number | null)[];
      /** What was normal before, and when it ceased to be. */
      readonly normal: number;
      readonly faultAt: number;
    }
  /** The same call in normal operation and now, as the two ends saw it. */
  | {
      readonly kind: "spans";
      readonly op: string;
      readonly from: string;
      readonly to: string;
      readonly beforeMs: number;
      readonly afterMs: number;
      readonly count: number;
    }
  | {
      readonly kind: "log";
      readonly subject: string;
      readonly level: string;
      readonly text: string;
      readonly example: string;
      readonly traceId: string | null;
      readonly count: number;
    }
  | { readonly kind: "release"; readonly subject: string; readonly version: string; readonly since: number };

/** What a node is judged to be. `mode` says how a primary or node went; it is named differently on the screen. */
export type VerdictKind =
  | "dead-primary"
  | "frozen-primary"
  | "hung-primary"
  /** It can be read, and refuses every write: its disk is full or failing. */
  | "unwritable-primary"
  | "partitioned-primary"
  | "lost-primary"
  | "dead-standby"
  | "frozen-standby"
  | "hung-standby"
  | "lost-standby"
  | "dead-node"
  | "lost-node"
  | "unreachable-agent"
  | "replication-broken"
  | "split-brain"
  | "fleet-silent"
  | "check-failing"
  | "disk-full"
  | "overload"
  | "memory-short"
  | "disk-filling"
  | "replication-lagging"
  | "errors-rising"
  | "unusual-level"
  | "service-degraded"
  /** A change was stopped because what it rolled out does badly. */
  | "bad-release";

export interface Verdict {
  readonly kind: VerdictKind;
  readonly class: FaultClass;
  readonly subject: Subject;
  readonly cluster: string | null;
  /** 0..1. */
  readonly confidence: number;
  readonly evidence: readonly Evidence[];
  /** When the first signal behind it was seen, wall clock. */
  readonly sinceWallMs: number;
}

export interface TimelineEntry {
  /** Assigned by the store; grows within the whole installation. 0 until stored. */
  readonly seq: number;
  readonly incidentId: string | null;
  /** Wall clock of the control plane, milliseconds. */
  readonly at: number;
  /** The node's own clock where it differs by more than 100 ms; else null. */
  readonly nodeAt: number | null;
  readonly lane: Lane;
  /** Message key below `timeline.`. */
  readonly kind: string;
  readonly subject: Subject;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
  readonly evidence: readonly Evidence[];
  readonly actor: string;
}

export interface Suspect {
  readonly subject: Subject;
  readonly class: FaultClass;
  /** 0..1, calibrated. */
  readonly confidence: number;
  readonly cause: string;
  readonly evidence: readonly Evidence[];
}

/** How the suspects of an incident were found: where one looked, along which way the fault came, and what is missing to be sure. */
export interface Localization {
  readonly at: number;
  readonly faultAt: number;
  /** How long the ranking took, milliseconds. */
  readonly tookMs: number;
  /** From the service whose users suffer to the first suspect. */
  readonly path: readonly string[];
  /** Calls between the services, `[caller, callee]`. */
  readonly edges: readonly (readonly [string, string])[];
  readonly services: number;
  readonly spans: number;
  /** What would settle it; empty when the evidence is enough. */
  readonly missing: readonly { readonly code: string; readonly data: Evidence["data"] }[];
}

export type RecoveryAction = "restart-service" | "roll-back-release" | "switch-over" | "drain-shard";

/** What carries a recovery out: a durable record, whose end is the recovery's outcome. */
export interface RecoveryWork {
  readonly kind: "change" | "action" | "redis-migration";
  readonly id: string;
}

/** What would end the fault, by its cause. It runs itself only by policy, above the confidence that the policy asks for. */
export interface SuggestedRecovery {
  readonly action: RecoveryAction;
  /** What it is done to: a service, or the cluster that is switched over or drained. */
  readonly service: string;
  /** Switchover and drain only: the member that is left, who takes over (null: the others together), and the fault of its host, whose policy holds. */
  readonly leaves?: string;
  readonly target?: string | null;
  readonly cause?: HostFault;
  readonly state: "offered" | "requested" | "done" | "failed";
  readonly automatic: boolean;
  /** Why it did not run by itself, or by whom it was asked for. */
  readonly reason: string;
  readonly by: string | null;
  readonly requestedAt: number | null;
  readonly endedAt: number | null;
  readonly detail: string | null;
  /** Absent or null once it was asked for: a supervisor outside acts, and says itself what came of it. */
  readonly work?: RecoveryWork | null;
}

export interface Impact {
  readonly writesUnavailableFrom: number | null;
  readonly writesUnavailableTo: number | null;
  /** Milliseconds without an acknowledged write, as the application measured it; null when nobody measured. */
  readonly writesUnavailableMs: number | null;
  readonly acknowledgedLost: number | null;
  readonly acknowledged: number | null;
  readonly redundancyReducedFrom: number | null;
  readonly redundancyReducedTo: number | null;
}

export interface Incident {
  /** `INC-214`. */
  readonly id: string;
  readonly phase: IncidentPhase;
  readonly severity: Severity;
  readonly openedAt: number;
  /** Wall clock of the first signal: the incident began here. */
  readonly beganAt: number;
  readonly acknowledgedAt: number | null;
  readonly acknowledgedBy: string | null;
  readonly mitigatedAt: number | null;
  readonly resolvedAt: number | null;
  readonly closedAt: number | null;
  readonly cluster: string | null;
  /** The verdict that named the fault; the title is made from it. */
  readonly cause: Verdict;
  /** Verdicts that joined: symptoms of the same fault. */
  readonly symptoms: readonly Verdict[];
  readonly suspects: readonly Suspect[];
  readonly impact: Impact;
  readonly actionIds: readonly string[];
  /** Last signal, our monotonic clock at run time is not durable, so wall clock. */
  readonly lastSignalAt: number;
  /** The incident this one follows, when it happened again. */
  readonly follows: string | null;
  /** Absent where the cause was known without asking telemetry. */
  readonly localization?: Localization | null;
  readonly recovery?: SuggestedRecovery | null;
  /** The incident that turned out to be the same fault; its record goes on there. */
  readonly mergedInto?: string | null;
}

export interface Note {
  readonly id: string;
  readonly incidentId: string;
  readonly at: number;
  readonly author: string;
  /** Markdown as typed; rendered without HTML. */
  readonly text: string;
}
