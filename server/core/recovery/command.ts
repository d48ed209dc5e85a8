import type { ChangeVerb } from "../changes/verbs.ts";
import type { RedisVerb } from "../redis/verbs.ts";
import type { Lsn } from "../replication/lsn.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import type { TimelineStart } from "../replication/timelines.ts";

/**
 * What the control plane may ask of an agent: verbs with typed arguments, never strings to run.
 * Every verb that changes a database carries the grant it acts under; the agent checks it against its own promise.
 */
export interface Grant {
  readonly epoch: number;
  readonly intentId: string;
  /** Position within the intent; the agent refuses to go back. */
  readonly step: number;
  readonly configVersion: number;
}

export interface Endpoint {
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

export type Verb =
  | RedisVerb
  /** `initdb`, start as the first primary of a new cluster under the grant. */
  | {
      readonly verb: "postgres.initialize";
      readonly args: { readonly configuration: SyncConfiguration; readonly peers: readonly Endpoint[] };
    }
  /** Take over an existing primary as it runs: slots, owned settings, names. Nothing is restarted. */
  | {
      readonly verb: "postgres.adopt";
      readonly args: { readonly configuration: SyncConfiguration; readonly peers: readonly Endpoint[] };
    }
  /** Persist configurations before they can be in force. No change to PostgreSQL. */
  | { readonly verb: "postgres.learn"; readonly args: { readonly configurations: readonly SyncConfiguration[] } }
  /** Promise the epoch, cut the WAL receiver for good, read local WAL to its end, answer with timeline and LSN. */
  | { readonly verb: "postgres.seal"; readonly args: Readonly<Record<string, never>> }
  /** New names first, then resume replay, end readers in the way, promote. */
  | {
      readonly verb: "postgres.promote";
      readonly args: {
        readonly configuration: SyncConfiguration;
        readonly peers: readonly Endpoint[];
        readonly timeline: number;
      };
    }
  | {
      readonly verb: "postgres.follow";
      readonly args: {
        readonly primary: Endpoint;
        readonly configurations: readonly SyncConfiguration[];
        /**
         * The primary's. Whoever is past it must not even connect: its receiver begins by saying that it has flushed all that it had replayed,
         * and commits that it does not hold would be acknowledged by it. Empty: this member shut down in good order and has nothing of its own.
         */
        readonly history: readonly TimelineStart[];
      };
    }
  /** Change `synchronous_standby_names` on the primary; ends walsenders of leaving members; answers with the flush LSN. */
  | {
      readonly verb: "postgres.configure";
      readonly args: {
        readonly configuration: SyncConfiguration;
        readonly leaving: readonly string[];
        readonly peers: readonly Endpoint[];
      };
    }
  /** A real write that waits for a follower, then CHECKPOINT in the background. */
  | { readonly verb: "postgres.verify"; readonly args: { readonly deadlineMs: number } }
  /** End a prepared transaction of a database that nobody else ends. */
  | {
      readonly verb: "postgres.resolve";
      readonly args: { readonly gid: string; readonly database: string; readonly decision: "commit" | "rollback" };
    }
  /** Stop PostgreSQL and keep it from coming back as a primary. */
  | { readonly verb: "postgres.fence"; readonly args: Readonly<Record<string, never>> }
  /** Cut a node off for good (power, cloud, hypervisor) by a command that the receiver's own configuration names for it. */
  | { readonly verb: "host.fence"; readonly args: { readonly node: string } }
  /**
   * Switchover: admit no more writes and bring the standbys level, then either run on for those who read, or shut down. Past the deadline the agent
   * has its primary take writes again and fails the step.
   */
  | {
      readonly verb: "postgres.demote";
      readonly args: { readonly deadlineMs: number; readonly way: "quiesce" | "shutdown" };
    }
  /** Undo a demote that did not lead to a promotion: run as primary again under this grant. */
  | {
      readonly verb: "postgres.regrant";
      readonly args: { readonly configuration: SyncConfiguration; readonly peers: readonly Endpoint[] };
    }
  /** Rewind or clone from the primary, then stream. Divergent WAL is set aside first. */
  | {
      readonly verb: "postgres.rejoin";
      readonly args: {
        readonly primary: Endpoint;
        readonly mode: "rewind" | "clone";
        readonly configurations: readonly SyncConfiguration[];
      };
    }
  /** Start PostgreSQL again under the grant that the agent holds (a crash of PostgreSQL alone). */
  | {
      readonly verb: "postgres.restart";
      readonly args: {
        readonly as: "primary" | "standby";
        readonly configuration: SyncConfiguration;
        readonly peers: readonly Endpoint[];
      };
    };

/** Also the steps of changes that span nodes. */
export type AnyVerb = Verb | ChangeVerb;

export type VerbName = Verb["verb"];

export interface SealReply {
  readonly timeline: number | null;
  readonly lsn: Lsn | null;
  readonly configurations: readonly SyncConfiguration[];
  /** This member once issued a promote: PostgreSQL was stopped, or it runs as a primary. */
  readonly promoted: boolean;
  readonly receiverGoneMs: number;
}

export interface PromoteReply {
  readonly timeline: number;
  /** Where the new timeline begins. */
  readonly switchLsn: Lsn;
  readonly ms: number;
}

export interface RejoinReply {
  readonly mode: "rewind" | "clone";
  readonly bytes: number;
  readonly divergentBytes: number;
  readonly setAside: string | null;
  readonly ms: number;
}

/** Durable, stored in the outbox before it leaves; an id runs at most once on the agent, across restarts. */
export interface CommandRecord {
  readonly id: string;
  readonly node: string;
  readonly cluster: string;
  readonly actionId: string;
  readonly stepIndex: number;
  readonly grant: Grant;
  readonly verb: AnyVerb;
  readonly createdAt: number;
}

export type CommandOutcome =
  | { readonly status: "done"; readonly data: Readonly<Record<string, unknown>> }
  /** The agent did nothing, and says why (stale epoch, other intent, not allowed, precondition). */
  | { readonly status: "refused"; readonly code: string; readonly detail: string }
  /** It was tried and did not work. */
  | { readonly status: "failed"; readonly code: string; readonly detail: string };
