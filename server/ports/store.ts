import type {
  AuditDraft,
  CommandRecord,
  DocumentKind,
  DocumentOf,
  Durable,
  Incident,
  Note,
  TimelineEntry,
  Write,
} from "../core/index.ts";
import type { AuditView, SpoolRecord } from "../protocol/index.ts";

/**
 * What every method but `commit` rejects with when the database can't be reached or did not answer in time. Whether a change was made
 * is then unknown.
 */
export interface StoreUnavailable extends Error {
  readonly code: "store-unavailable";
}

export function isStoreUnavailable(error: unknown): error is StoreUnavailable {
  return error instanceof Error && "code" in error && error.code === "store-unavailable";
}

/**
 * Why a commit did not happen. `unknown`: the answer was lost, it may have happened. A batch that the database can never take (a bug)
 * rejects instead. `unavailable`: nothing was written; try again. `conflict`: another process leads now; stop. */
export type CommitOutcome =
  | { readonly ok: true; readonly timeline: readonly TimelineEntry[] }
  | { readonly ok: false; readonly code: "unavailable" | "conflict" | "unknown"; readonly detail: string };

/**
 * The loop's store. Guarantees:
 * - `commit` writes all of its writes in one transaction with `synchronous_commit = on`, or none of them, and only while `leaderEpoch` is the newest.
 *   When the answer was lost (`unknown`), the caller must `lead` and then `load` again before it decides anything: the new epoch waits for
 *   the lost transaction, or shuts it out when it arrives later.
 * - Timeline entries get consecutive `seq` numbers; audit entries are numbered and hash-chained inside the same transaction.
 * - `load` answers with everything that is not closed.
 */
export interface Store {
  /** Takes the lead: every older leader's `commit` is refused from now on. */
  lead(owner: string): Promise<number>;
  /** Whether no newer leader has taken over since. Asked of the database itself, now. */
  leads(leaderEpoch: number): Promise<boolean>;
  load(): Promise<LoadedState>;
  commit(leaderEpoch: number, writes: readonly Write[]): Promise<CommitOutcome>;
  /**
   * Applies spool records exactly once and in order: those at or below the highest applied seq of this spool are skipped. When the frame
   * begins beyond the next one (a gap), nothing of it is applied, so that an earlier frame on its way is not lost; `skipped` numbers before
   * `firstSeq` are no gap: the agent no longer has those records. Traces join their group, signals become timeline entries without an incident;
   * null is a record that was refused: it takes its number and nothing else.
   * Answers with the highest applied.
   */
  applyRecords(
    node: string,
    spoolId: string,
    firstSeq: number,
    records: readonly (SpoolRecord | null)[],
    receivedAt: number,
    skipped?: number,
  ): Promise<number>;
  appliedRecords(node: string, spoolId: string): Promise<number>;
  isAvailable(): Promise<boolean>;
  close(): Promise<void>;
}

export interface LoadedState extends Omit<Durable, "policy"> {
  readonly policy: Durable["policy"] | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** What screens, API and CLI read. Never used to decide. */
export interface ReadStore {
  /** Newest first. `phase`: one phase, or `active` for everything that is not closed. */
  incidents(filter: {
    readonly phase?: string;
    readonly cluster?: string;
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<Page<Incident>>;
  incident(id: string): Promise<Incident | null>;
  /** In the order of `seq`. */
  timeline(incidentId: string): Promise<readonly TimelineEntry[]>;
  /** Oldest first. */
  notes(incidentId: string): Promise<readonly Note[]>;
  action(id: string): Promise<import("../core/index.ts").Action | null>;
  /** Newest first. */
  actions(filter: {
    readonly incidentId?: string;
    readonly cluster?: string;
    readonly limit: number;
  }): Promise<readonly import("../core/index.ts").Action[]>;
  document<K extends DocumentKind>(kind: K, id: string): Promise<DocumentOf<K> | null>;
  /** Newest first; open and closed ones unless `open` says which. */
  documents<K extends DocumentKind>(filter: {
    readonly kind: K;
    readonly open?: boolean;
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<Page<DocumentOf<K>>>;
  /** Newest first. */
  audit(filter: {
    readonly cursor?: string;
    readonly limit: number;
    readonly actor?: string;
    readonly subject?: string;
  }): Promise<Page<AuditView>>;
  /** Recomputes the hash chain; answers with the first broken entry. */
  verifyAudit(): Promise<
    | { readonly ok: true; readonly entries: number; readonly head: string }
    | { readonly ok: false; readonly brokenAt: number; readonly reason: string }
  >;
  /** For changes that do not pass through the loop (sign-in, roles, tokens). */
  appendAudit(draft: AuditDraft): Promise<void>;
}

/** Enrolment tokens and agent keys. */
export interface AgentDirectory {
  createEnrolmentToken(draft: {
    readonly hash: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly node: string | null;
    readonly expiresAt: number;
    readonly createdBy: string;
  }): Promise<void>;
  /** One conditional UPDATE: of two agents with the same token one wins. */
  consumeEnrolmentToken(
    hash: string,
    now: number,
  ): Promise<
    | { readonly ok: true; readonly labels: Readonly<Record<string, string>>; readonly node: string | null }
    | { readonly ok: false; readonly code: "token-unknown" | "token-used" | "token-expired" }
  >;
  /** The server's own Ed25519 key pair, made once. Public: raw 32 bytes, base64url. Private: PKCS #8 DER, base64url. */
  serverKey(): Promise<{ readonly publicKey: string; readonly privateKey: string }>;
  /** Next strictly growing command counter for an agent key; durable. Numbers may be left out after a restart. */
  nextCounter(agentKey: string): Promise<number>;
}

export type { CommandRecord };
