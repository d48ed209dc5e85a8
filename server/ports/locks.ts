import type { LockHealth, LockPromise, LockProviderKind } from "../protocol/lock-views.ts";

/**
 * Locks for applications and for the control plane's own actions.
 *
 * What a lock promises: of all holders of a name at most one is *inside its lease* by the provider's clock, and every grant carries a
 * fencing token that is greater than that of every earlier grant of the same name, whatever the provider forgot in between. Mutual
 * exclusion at the resource comes from the token, not from the clock: the resource refuses a token older than one it has seen.
 */

export type { LockHealth, LockPromise, LockProviderKind };

export interface LockAsk {
  readonly name: string;
  /** Who asks, exactly: an id that only this asker knows. Asking again with the same one never takes a second grant. */
  readonly owner: string;
  /** Who asks, for people. */
  readonly holder: string;
  readonly ttlMs: number;
  /** How long the place in the queue is kept without a further attempt; 0: it does not queue. */
  readonly placeMs: number;
}

export type LockAttempt =
  | { readonly ok: true; readonly token: number; readonly heldMs: number; readonly leftMs: number }
  /** `place`: 1 for the first in the queue, 0 when it does not queue. `leftMs`: of the present lease; 0 when nobody holds it. */
  | { readonly ok: false; readonly place: number; readonly leftMs: number };

/** Ages and times left as the provider's clock sees them: durations, so that no two clocks are compared. */
export interface LockRecord {
  readonly name: string;
  readonly lease: {
    readonly owner: string;
    readonly holder: string;
    /** Null for the moment between being taken and being given its token. */
    readonly token: number | null;
    readonly heldMs: number;
    readonly leftMs: number;
  } | null;
  /** In the order in which they will get it. */
  readonly waiters: readonly { readonly owner: string; readonly holder: string; readonly waitedMs: number }[];
}

/** Gives out numbers that only grow; they live in the control plane's PostgreSQL, whichever provider holds the lock. */
export interface TokenLedger {
  /** Greater than every number given out before it. Rejects rather than guess. */
  next(): Promise<number>;
}

/**
 * One place where locks are kept. Guarantees:
 * - `attempt` never waits. It is idempotent for an owner: the present grant or the present place is answered again.
 * - A token is drawn *after* the lock was taken and the lease is confirmed *after* the token was drawn. So tokens are ordered as grants
 *   are: a holder that lost the lock in between gets no grant, not a grant with a later token.
 * - `renew` and `release` change only the lease of this owner under this token; a lease that ran out is never revived.
 * - Every method rejects with `LockProviderDown` when the provider can't be reached. Whether something was changed is then unknown: ask
 *   again with the same owner.
 */
export interface LockProvider {
  readonly name: string;
  readonly kind: LockProviderKind;
  readonly promises: readonly LockPromise[];
  attempt(ask: LockAsk): Promise<LockAttempt>;
  /** Milliseconds left from now on; null: lost. */
  renew(name: string, owner: string, token: number, ttlMs: number): Promise<number | null>;
  /** False: it was not held under this token any more. */
  release(name: string, owner: string, token: number): Promise<boolean>;
  /** Takes it away from whoever holds it under `token`. */
  evict(name: string, token: number): Promise<boolean>;
  /** Gives up a place in the queue. */
  withdraw(name: string, owner: string): Promise<void>;
  /** Held or waited for; at most `limit`, by name. */
  list(limit: number): Promise<readonly LockRecord[]>;
  health(): Promise<LockHealth>;
  /** Called with a name whose holder is gone, or null when that may be any; for waking waiters early, never relied upon. */
  onFreed(listener: (name: string | null) => void): void;
  close(): Promise<void>;
}

export class LockProviderDown extends Error {
  readonly code = "lock-provider-down";
  readonly provider: string;
  constructor(provider: string, detail: string, cause?: unknown) {
    super(`The lock provider ${provider} can't be reached: ${detail}`, { cause });
    this.name = "LockProviderDown";
    this.provider = provider;
  }
}

export type AcquireOutcome =
  | {
      readonly kind: "granted";
      readonly provider: string;
      readonly token: number;
      readonly heldMs: number;
      readonly leftMs: number;
    }
  | { readonly kind: "waiting"; readonly provider: string; readonly place: number; readonly leftMs: number }
  | { readonly kind: "unknown-provider" }
  | { readonly kind: "too-many-waiters"; readonly limit: number };

export interface ProviderStatus {
  readonly name: string;
  readonly kind: LockProviderKind;
  readonly promises: readonly LockPromise[];
  readonly health: LockHealth;
  /** More locks than are listed. */
  readonly truncated: boolean;
  readonly locks: readonly LockRecord[];
}

/** All providers together: what routes, screens and the control plane itself use. */
export interface Locks {
  /** The first is the default. */
  readonly providers: readonly { readonly name: string; readonly kind: LockProviderKind }[];
  /** Waits up to `waitMs`; the place in the queue outlives the call by a few seconds, so that the asker can ask again. */
  acquire(
    provider: string | null,
    ask: Omit<LockAsk, "placeMs">,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<AcquireOutcome>;
  /** `undefined`: there is no such provider. */
  find(provider: string | null): LockProvider | undefined;
  release(provider: LockProvider, name: string, owner: string, token: number): Promise<boolean>;
  evict(provider: LockProvider, name: string, token: number): Promise<boolean>;
  status(): Promise<readonly ProviderStatus[]>;
  close(): Promise<void>;
}

/** Locks that the control plane holds while it acts itself, so that backups and migrations of the operators can keep out of its way, and it out of theirs. */
export interface OwnLocks {
  /** For a planned action that is about to be asked for. `giveUp`: it was refused. Never rejects because a provider is down. */
  claim(
    name: string,
    holder: string,
  ): Promise<
    | { readonly ok: true; giveUp(): Promise<void> }
    /** `lease`: null when it could not be read. */
    | { readonly ok: false; readonly lease: LockRecord["lease"] }
  >;
  /** Who else holds it now; null: nobody, or nobody knows. */
  othersLease(name: string): Promise<LockRecord["lease"]>;
  /** Call about once a second: takes and renews the locks of what is under way, gives back the others. */
  tidy(): Promise<void>;
}

/** Names below this are the control plane's; a token of an application needs a prefix of its own to touch them. */
export const ownLockPrefix = "holdfast/";

/** The lock of everything that is done with a cluster of databases. */
export function clusterLock(id: string): string {
  return `${ownLockPrefix}cluster/${id}`;
}

/** The lock of everything that is done with a replica set or a cluster of Redis. */
export function redisLock(id: string): string {
  return `${ownLockPrefix}redis/${id}`;
}
