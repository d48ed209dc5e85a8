import type {
  Action,
  Automation,
  CheckResult,
  Document,
  Durability,
  EpochRecord,
  Evidence,
  Firing,
  HealthState,
  HostMetrics,
  Incident,
  Maintenance,
  Note,
  PeerSight,
  Plan,
  PlanCheck,
  PostgresStatus,
  ProgramRecord,
  ProgramStatus,
  Reason,
  Rule,
  RuleNumbers,
  SyncConfiguration,
  TimelineEntry,
  WorkloadReport,
} from "../core/index.ts";
import type { ErrorTrace } from "./agent-frames.ts";
import type { RedisView } from "./redis-view.ts";
import type { RefusedParts } from "./salvage-frame.ts";

/**
 * What browsers, the API and the CLI see. Entities are sent whole when they change; names and numbers only, words are made on
 * the screen from message keys. Times are wall-clock milliseconds (UTC) unless the name ends in `AgoMs`/`ForMs`.
 */

export type { HealthState, Reason };

/** One row of the fleet: small, sent for every node. */
export interface NodeView {
  readonly entity: "node";
  readonly id: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: HealthState;
  readonly reasons: readonly Reason[];
  readonly role: "primary" | "standby" | "application" | "node";
  readonly cluster: string | null;
  readonly connected: boolean;
  readonly agentVersion: string | null;
  /** Wall clock of the last frame from this node, as received; the screen shows its age. */
  readonly lastSeenAt: number | null;
  readonly heartbeatMs: number;
  /** Suspicion, −log10 of the probability that this is a mistake; and the level at which a verdict falls. */
  readonly suspicion: number;
  readonly suspicionThreshold: number;
  readonly host: HostMetrics | null;
  readonly maintenance: Maintenance | null;
  /** When the state last changed. */
  readonly stateSince: number;
}

/** All of one node: for its page. */
export interface NodeDetail extends NodeView {
  readonly enrolledAt: number;
  readonly publicKey: string;
  readonly address: string | null;
  readonly bootId: string | null;
  readonly clockOffsetMs: number | null;
  readonly agentLoopLagMs: number | null;
  readonly postgres: PostgresStatus | null;
  readonly peers: readonly PeerSight[];
  /** How others see this node: observer → sight. */
  readonly seenBy: readonly (PeerSight & { readonly observer: string })[];
  readonly checks: readonly CheckResult[];
  readonly workloads: readonly WorkloadReport[];
  /** What was left out of its frames because it is malformed, since the control plane started; null: nothing. */
  readonly refused: RefusedParts | null;
  /** Inter-arrival of the last beats, milliseconds, oldest first (at most 120): the heartbeat strip. */
  readonly beats: readonly number[];
  /** Price of thresholds: silence in ms → expected false alarms per day. */
  readonly detectorCurve: readonly { readonly silenceMs: number; readonly falseAlarmsPerDay: number }[];
  readonly detectorThresholdMs: number;
}

export interface MemberView {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly state: HealthState;
  readonly standing: "new" | "member" | "fenced" | "quarantined";
  readonly role: "primary" | "standby" | null;
  /** In the synchronous set in force. */
  readonly sync: boolean;
  readonly streaming: boolean;
  readonly timeline: number | null;
  readonly lsn: string | null;
  readonly lagBytes: number | null;
  readonly lagMs: number | null;
  /** Primary's response time over this replica's, same query on both. */
  readonly responseRatio: { readonly r: number; readonly samples: number; readonly windowMs: number } | null;
  /** Progress of a rejoin, 0..1. */
  readonly rejoinProgress: number | null;
  readonly candidate: { readonly eligible: boolean; readonly reason: Reason };
  readonly postgresVersion: string | null;
}

export interface ClusterView {
  readonly entity: "cluster";
  readonly id: string;
  readonly kind: "postgres";
  readonly state: HealthState;
  readonly reasons: readonly Reason[];
  readonly stateSince: number;
  readonly epoch: number;
  readonly primary: string | null;
  readonly timeline: number | null;
  readonly durability: Durability;
  readonly configuration: SyncConfiguration | null;
  /** Fewer synchronous standbys than promised. */
  readonly reducedDurability: boolean;
  readonly automation: Automation;
  readonly budget: { readonly used: number; readonly of: number; readonly nextFreeAt: number | null };
  readonly maintenance: Maintenance | null;
  readonly members: readonly MemberView[];
  /** Who sees whom: observer (node or `control-plane`) → subject. */
  readonly sights: readonly {
    readonly observer: string;
    readonly subject: string;
    readonly reach: "ok" | "failed" | "unknown";
    readonly reason: string | null;
  }[];
  readonly epochs: readonly EpochRecord[];
  readonly workload: WorkloadReport | null;
  readonly openActionId: string | null;
  readonly openIncidentId: string | null;
  /** Why nobody takes over by itself now; null while nobody has to, or somebody does. */
  readonly refusal: {
    readonly code: string;
    readonly data: Readonly<Record<string, string | number | boolean | null>>;
  } | null;
  readonly systemId: string | null;
}

export interface IncidentView extends Incident {
  readonly entity: "incident";
  readonly unread: boolean;
}

export interface ActionView extends Action {
  readonly entity: "action";
  /** Where the time went; present once the action has ended (failover, switchover). */
  readonly waterfall: readonly WaterfallBar[] | null;
}

/** One bar of the time budget. */
export interface WaterfallBar {
  readonly stage: "detect" | "decide" | "hand-over" | "seal" | "promote" | "verify" | "clients-back";
  readonly fromMs: number;
  readonly toMs: number;
  readonly detail: Reason | null;
}

export interface SystemView {
  readonly entity: "system";
  readonly version: string;
  readonly startedAt: number;
  readonly wallMs: number;
  readonly storeAvailable: boolean;
  readonly frozen: { readonly reason: string; readonly sinceMs: number } | null;
  readonly loopLagMs: number;
  readonly mailboxDepth: number;
  readonly agentsConnected: number;
  readonly viewersConnected: number;
  readonly nodes: Readonly<Record<HealthState, number>>;
  /** Set when the demo runs: the page may offer its faults. */
  readonly demo: { readonly faults: readonly string[] } | null;
}

/** A durable thing of a kind of its own (`core/documents.ts`), while it is open; `id` is `<kind>:<id>`. */
export interface DocumentView {
  readonly entity: "document";
  readonly id: string;
  readonly document: Document;
}

export type EntityView = NodeView | ClusterView | IncidentView | ActionView | DocumentView | RedisView | SystemView;

export interface IncidentDetail {
  readonly incident: IncidentView;
  readonly timeline: readonly TimelineEntry[];
  readonly actions: readonly ActionView[];
  readonly notes: readonly Note[];
  readonly traces: readonly TraceGroupView[];
}

/** Error traces of one fingerprint. */
export interface TraceGroupView {
  readonly id: string;
  readonly service: string;
  readonly language: string;
  readonly type: string;
  readonly message: string;
  readonly frames: readonly { readonly function: string; readonly file: string; readonly line: number | null }[];
  readonly count: number;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly nodes: readonly string[];
  /** What made these one group: message keys below `grouping.`. */
  readonly why: readonly string[];
  /** How many other groups a person merged into this one; their figures are in its own. */
  readonly merged: number;
}

/** Occurrences in consecutive steps of equal length, the newest last. */
export interface TraceTrend {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly counts: readonly number[];
}

export interface TraceListItem extends TraceGroupView {
  readonly trend: TraceTrend;
}

/** A fingerprint of a merged group, as it was before. */
export type TracePartView = Omit<TraceGroupView, "merged">;

/** A group's page. */
export interface TraceGroupDetail {
  readonly group: TraceGroupView;
  /** The fingerprints within, the group's own first; one unless it was merged. */
  readonly parts: readonly TracePartView[];
  /** The latest trace of each part on each node, newest first. */
  readonly examples: readonly TraceExampleView[];
  /** Last hour by minutes, last day by hours, last fortnight by half days. */
  readonly trends: Readonly<Record<TraceRange, TraceTrend>>;
  /** Incidents on the same nodes while the error occurred, newest first. */
  readonly incidents: readonly IncidentView[];
}

export interface TraceExampleView {
  readonly part: string;
  readonly node: string;
  readonly at: number;
  readonly trace: ErrorTrace;
}

/** A monitoring rule as it stands, with what it says now. */
export interface RuleView extends Rule {
  readonly defaults: RuleNumbers;
  /** Null: the defaults hold. */
  readonly changedBy: string | null;
  readonly changedAt: number | null;
  /** For how many subjects it is raised, of how many that are measured. */
  readonly raised: number;
  readonly measured: number;
  /** The raised ones, then the nearest; not all of them. */
  readonly subjects: readonly RuleSubjectView[];
}

export interface RuleSubjectView {
  /** `node:pg-a`, `service:orders`. */
  readonly subject: string;
  readonly value: number;
  readonly usual: number | null;
  readonly deviations: number | null;
  readonly raisedSince: number | null;
  /** Since when the value asks for the other state, while that has not lasted long enough. */
  readonly pendingSince: number | null;
}

/** What a rule would have said over what was really measured: with its present numbers, and with others. */
export interface ReplayView {
  readonly fromMs: number;
  readonly toMs: number;
  /** The oldest sample that was found; null: there is none. */
  readonly oldestAt: number | null;
  readonly subjects: number;
  readonly leftOut: number;
  readonly samples: number;
  readonly before: ReplayOutcome;
  readonly after: ReplayOutcome;
}

export interface ReplayOutcome {
  readonly count: number;
  /** Over all subjects. */
  readonly raisedMs: number;
  /** The newest ones. */
  readonly firings: readonly Firing[];
}

export type TraceRange = "hour" | "day" | "fortnight";

/** A plain service on all of its nodes. */
export interface ProgramView {
  readonly service: string;
  readonly nodes: readonly {
    readonly node: string;
    readonly zone: string;
    readonly connected: boolean;
    readonly status: ProgramStatus;
  }[];
  /** Releases that every node has. */
  readonly releases: readonly string[];
  readonly lastGood: string | null;
  readonly openChange: string | null;
  readonly history: ProgramRecord["history"];
}

export type CheckView = PlanCheck;

export interface PlanView extends Plan {
  /** The same by command line. */
  readonly command: string;
}

export interface AuditView {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly actorRole: string;
  readonly verb: string;
  readonly subject: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly reason: string;
  readonly hash: string;
  readonly previousHash: string;
}

export interface SessionView {
  readonly user: {
    readonly id: string;
    readonly name: string;
    readonly email: string;
    readonly role: "viewer" | "operator" | "admin";
  } | null;
  /** True until the first administrator exists. */
  readonly setupNeeded: boolean;
  readonly csrfToken: string | null;
}

/**
 * Columns of equal length: times (wall-clock ms) and one array for each named series. Names:
 * cluster: `writesPerSecond`, `latencyMeanMs`, `latencyP95Ms`, and for each standby `lagBytes:<node>`, `lagMs:<node>`;
 * node: `cpu` (0..1), `load1`, `memoryUsedBytes`, `diskUsedBytes`, `networkRxBytesPerSecond`, `networkTxBytesPerSecond`,
 * `suspicion`, `connections`, `agentLoopLagMs`. A series that does not apply is absent; an instant without a value is null.
 */
export interface SeriesView {
  readonly t: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

export type { Evidence };
