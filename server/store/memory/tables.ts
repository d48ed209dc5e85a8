import type {
  Action,
  ClusterRecord,
  CommandRecord,
  Counters,
  Document,
  Incident,
  NodeRecord,
  Note,
  Policy,
  TimelineEntry,
} from "../../core/index.ts";
import type { ApiTokenRecord, UserRole } from "../../ports/identity.ts";
import type { Sample } from "../../ports/samples.ts";
import type { ErrorTrace, TracePartView } from "../../protocol/index.ts";
import { type AuditHead, type AuditRow, auditGenesis } from "../shared/audit-chain.ts";
import type { ServerKey } from "../shared/server-key.ts";
import { StoreUnavailableError } from "../shared/store-error.ts";

export interface StoredCommand {
  readonly record: CommandRecord;
  readonly finished: { readonly outcome: unknown } | null;
}

export interface TraceExample {
  readonly node: string;
  readonly at: number;
  readonly trace: ErrorTrace;
}

/** Occurrences of a group within a minute or an hour. */
export interface TraceCount {
  readonly group: string;
  readonly stepMs: number;
  readonly at: number;
  readonly count: number;
}

export interface StoredEnrolmentToken {
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string | null;
  readonly expiresAt: number;
  readonly createdBy: string;
  usedAt: number | null;
}

/** better-auth's own rows: its memory adapter reads, writes and replaces the arrays under these names. */
export type AuthTables = Record<"user" | "session" | "account" | "verification", Record<string, unknown>[]>;

/** What a database holds, as plain collections. One of it outlives several stores: that is a restart. */
export interface MemoryTables {
  leaderEpoch: number;
  leaderOwner: string | null;
  readonly nodes: Map<string, NodeRecord>;
  readonly clusters: Map<string, ClusterRecord>;
  readonly incidents: Map<string, Incident>;
  readonly actions: Map<string, Action>;
  readonly commands: Map<string, StoredCommand>;
  /** By `documentKey`, closed ones too. */
  readonly documents: Map<string, Document>;
  counters: Counters;
  policy: Policy | null;
  readonly timeline: TimelineEntry[];
  readonly notes: Note[];
  readonly audit: AuditRow[];
  auditHead: AuditHead;
  /** `node spool` → highest applied seq. */
  readonly spools: Map<string, number>;
  readonly traceGroups: Map<string, TracePartView>;
  /** Group → node → its latest trace. */
  readonly traceExamples: Map<string, Map<string, TraceExample>>;
  readonly traceCounts: Map<string, TraceCount>;
  /** Group → the one it was merged into. */
  readonly traceMerges: Map<string, string>;
  readonly enrolmentTokens: Map<string, StoredEnrolmentToken>;
  serverKey: ServerKey | null;
  readonly commandCounters: Map<string, number>;
  readonly auth: AuthTables;
  readonly roles: Map<string, UserRole>;
  /** By hash. */
  readonly apiTokens: Map<string, ApiTokenRecord>;
  readonly samples: Map<string, Sample>;
  readonly faults: MemoryFaults;
}

/** What a test may do to the database. */
export interface MemoryFaults {
  /** False: nothing reaches it. */
  available: boolean;
  /** The answer of the next commit is lost, after it was made (`made`) or before (`not-made`). */
  nextAnswerLost: "made" | "not-made" | null;
}

export function createMemoryTables(): MemoryTables {
  return {
    leaderEpoch: 0,
    leaderOwner: null,
    nodes: new Map(),
    clusters: new Map(),
    incidents: new Map(),
    actions: new Map(),
    commands: new Map(),
    documents: new Map(),
    counters: { incident: 0, action: 0 },
    policy: null,
    timeline: [],
    notes: [],
    audit: [],
    auditHead: auditGenesis,
    spools: new Map(),
    traceGroups: new Map(),
    traceExamples: new Map(),
    traceCounts: new Map(),
    traceMerges: new Map(),
    enrolmentTokens: new Map(),
    serverKey: null,
    commandCounters: new Map(),
    auth: { user: [], session: [], account: [], verification: [] },
    roles: new Map(),
    apiTokens: new Map(),
    samples: new Map(),
    faults: { available: true, nextAnswerLost: null },
  };
}

/** Throws as the real store does when the database is away. */
export function requireAvailable(tables: MemoryTables): void {
  if (!tables.faults.available) throw new StoreUnavailableError("the in-memory database was made unavailable");
}
