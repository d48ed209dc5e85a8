import type { ParticipantState, Transaction } from "../transaction/types.ts";
import type { ChangeItem, StepKind } from "./verbs.ts";

/** A plain service as its node's agent reports it. */
export interface ProgramStatus {
  readonly name: string;
  /** The release that the switch points at. */
  readonly version: string | null;
  readonly releases: readonly string[];
  readonly state: "running" | "starting" | "stopped" | "failed";
  readonly pid: number | null;
  /** Null: there is no check, or it has not run yet. */
  readonly healthy: boolean | null;
  readonly health: string;
  /** Wall clock of the node: this version runs since. */
  readonly since: number | null;
  /** Ends that nobody asked for, since the switch to this version. */
  readonly crashes: number;
  /** Error traces of the service on this node since the switch, and in the minute before it. */
  readonly errors: number;
  readonly errorsBefore: number;
  readonly files: readonly { readonly name: string; readonly version: string | null }[];
  readonly change: { readonly id: string; readonly state: ParticipantState; readonly since: number } | null;
}

export type ChangePhase = "running" | "watching" | "done" | "aborting" | "aborted" | "rolled-back";

export type ChangeProtocol = "2pc" | "3pc" | "saga";

export interface ChangeTarget {
  /** Name of its branch: the node, or `sql:<cluster>`. */
  readonly id: string;
  readonly kind: "program" | "sql";
  /** The node that was last asked. */
  readonly node: string;
  readonly wave: number;
  /** What ran before: where the inverse leads. */
  readonly before: string | null;
  readonly trial: "none" | "asked" | "done" | "failed";
  /** Trials that did not work, in a row (absent: none), and before which time, wall clock, there is no other one. */
  readonly trialTries?: number;
  readonly trialAt?: number | null;
  /** Dry run: it said no, and the others are still heard before that ends it. */
  readonly refused?: boolean;
  /** The step under way, or the last one, with what came of it. */
  readonly step: StepKind | null;
  readonly stepAt: number | null;
  readonly detail: string | null;
}

export interface Watch {
  readonly wave: number;
  readonly from: number;
  readonly until: number;
}

export type ChangeData = Readonly<Record<string, string | number | boolean | null>>;

export interface StoryEntry {
  readonly at: number;
  /** Message key below `changeStory.`. */
  readonly kind: string;
  readonly data: ChangeData;
}

export interface SqlStep {
  readonly cluster: string;
  readonly database: string;
  readonly statements: readonly string[];
}

/** A release or a configuration file on its way to the nodes of a service. Durable; kept for ever. */
export interface ChangeRecord {
  readonly service: string;
  readonly item: ChangeItem;
  /** What is rolled out, in one word: a version, or the first digits of a file's hash. */
  readonly version: string;
  readonly protocol: ChangeProtocol;
  readonly phase: ChangePhase;
  readonly transaction: Transaction;
  readonly targets: readonly ChangeTarget[];
  readonly waves: number;
  readonly wave: number;
  readonly watchMs: number;
  readonly watch: Watch | null;
  readonly sql: SqlStep | null;
  /** Grants of a service grow with every change, so that an older one can't come back. */
  readonly serial: number;
  readonly step: number;
  readonly by: string;
  readonly automatic: boolean;
  readonly reason: string;
  readonly incidentId: string | null;
  readonly rollbackOf: string | null;
  readonly rolledBackBy: string | null;
  /** Everybody stages and validates, and discards it again: nothing is switched, whatever the votes. */
  readonly dryRun?: boolean;
  /** A rollback: nodes that were away when it began. They are done when they are back. */
  readonly left?: readonly string[];
  /** Why it was stopped. */
  readonly fault: { readonly code: string; readonly node: string | null; readonly data: ChangeData } | null;
  readonly story: readonly StoryEntry[];
}

export interface LeftBehind {
  readonly nodes: readonly string[];
  readonly item: ChangeItem;
  readonly watchMs: number;
  /** The change that is undone. */
  readonly rollbackOf: string | null;
  readonly incidentId: string | null;
  readonly by: string;
  readonly reason: string;
}

/** What is known of a service across its changes. One for each, never closed. */
export interface ProgramRecord {
  readonly serial: number;
  readonly openChange: string | null;
  /** Nodes that a rollback could not reach: done when they are back, unless another change of the service comes first. */
  readonly left?: LeftBehind | null;
  /** Newest last, at most fifty. */
  readonly history: readonly {
    readonly version: string;
    readonly change: string | null;
    readonly at: number;
    readonly verdict: "good" | "bad";
  }[];
}

export interface ChangeCheck {
  /** Message key below `changeCheck.`. */
  readonly code: string;
  readonly status: "pass" | "warn" | "block";
  readonly data: ChangeData;
}

export interface RolloutRequest {
  readonly service: string;
  readonly item: ChangeItem;
  readonly protocol: ChangeProtocol;
  /** Nodes by wave; empty: the first node, then all others. */
  readonly waves: readonly (readonly string[])[];
  readonly watchMs: number;
  readonly sql: SqlStep | null;
}

export interface RolloutPlan {
  readonly service: string;
  readonly item: ChangeItem;
  readonly version: string;
  readonly protocol: ChangeProtocol;
  readonly waves: readonly (readonly string[])[];
  readonly before: Readonly<Record<string, string | null>>;
  readonly watchMs: number;
  readonly sql: SqlStep | null;
  readonly checks: readonly ChangeCheck[];
  readonly runnable: boolean;
  readonly planHash: string;
}
