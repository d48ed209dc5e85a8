import type { Document } from "./documents.ts";
import type { Incident, Note, TimelineEntry } from "./incident/types.ts";
import type { Policy } from "./policy/types.ts";
import type { CommandRecord } from "./recovery/command.ts";
import type { Action, ClusterRecord } from "./recovery/types.ts";
import type { Counters } from "./state.ts";
import type { NodeRecord } from "./topology/types.ts";

/** A durable change. All writes of a decision are committed in one transaction, before any command leaves. */
export type Write =
  | { readonly kind: "put-node"; readonly value: NodeRecord }
  | { readonly kind: "put-cluster"; readonly value: ClusterRecord }
  | { readonly kind: "put-incident"; readonly value: Incident }
  | { readonly kind: "put-action"; readonly value: Action }
  | { readonly kind: "put-command"; readonly value: CommandRecord }
  /** The command has its result (or lost its meaning); it leaves the outbox. */
  | { readonly kind: "finish-command"; readonly id: string; readonly outcome: unknown }
  | { readonly kind: "put-counters"; readonly value: Counters }
  | { readonly kind: "put-policy"; readonly value: Policy }
  | { readonly kind: "put-document"; readonly value: Document }
  | { readonly kind: "append-timeline"; readonly value: TimelineEntry }
  | { readonly kind: "append-note"; readonly value: Note }
  | { readonly kind: "append-audit"; readonly value: AuditDraft };

/** An audit entry before the store gives it its number and its link in the hash chain. */
export interface AuditDraft {
  readonly at: number;
  readonly actor: string;
  readonly actorRole: string;
  /** Message key below `audit.`, such as `failover-started`. */
  readonly verb: string;
  readonly subject: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly reason: string;
}

/** The answer to an operator's request. A refusal carries a code (message key below `refusal.`) and its values. */
export type Reply =
  | {
      readonly requestId: string;
      readonly ok: true;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    }
  | {
      readonly requestId: string;
      readonly ok: false;
      readonly code: string;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    };

/** An asynchronous primary may go on: its lease counts from when it made this request. */
export interface LeaseRenewal {
  readonly node: string;
  readonly cluster: string;
  readonly epoch: number;
  readonly ask: number;
}

/** What one batch of events leads to. Order: commit `writes` (if any), then send, reply and publish. */
export interface Decision {
  readonly writes: readonly Write[];
  /** Commands among `writes` that are to be sent now. */
  readonly send: readonly CommandRecord[];
  readonly replies: readonly Reply[];
  /** Command results that may be acknowledged to their agents once the commit is through. */
  readonly acknowledge: readonly { readonly node: string; readonly commandId: string }[];
  /**
   * Leases to renew once the commit is through, and only while this process is sure to lead: another one may be about to promote somebody
   * else. Absent: none.
   */
  readonly renewals?: readonly LeaseRenewal[];
  /** Entities whose view changed, durable or live: `node:pg-a`, `cluster:orders`, `incident:INC-1`, `document:<kind>:<id>`, `system`. */
  readonly touched: ReadonlySet<string>;
  /** When the core wants to be woken at the latest, our monotonic clock; null when nothing waits. */
  readonly wakeAtMs: number | null;
}
