export type LockProviderKind = "postgres" | "redis" | "zookeeper" | "memory";

/** What a provider holds to, and what it does not; the keys have words in the messages. */
export type LockPromise =
  /** Waiters get the lock in the order in which they came. */
  | "fair"
  /** Holders outlive a restart of the provider and of the control plane. */
  | "survives-restart"
  /** Holders outlive a restart of the control plane. */
  | "survives-control-plane"
  /** A restart without persistence or a flush forgets the holders; tokens still only grow. */
  | "may-forget"
  /** Holders are lost when the control plane's session with the provider expires. */
  | "ends-with-session"
  /** Answers only from a majority of its servers. */
  | "quorum"
  /** Nothing outlives this process. */
  | "in-process";

export interface LockHealth {
  readonly ok: boolean;
  readonly latencyMs: number | null;
  /** A sentence of the provider's driver when it is not well. */
  readonly detail: string;
}

/** Wall-clock milliseconds of the control plane. */
export interface LockView {
  readonly name: string;
  readonly holder: {
    /** Tells holders apart; it gives no right over the lock. */
    readonly id: string;
    readonly label: string;
    /** Null for the moment between being taken and being given its token. */
    readonly token: number | null;
    readonly since: number;
    readonly until: number;
  } | null;
  /** In the order in which they will get it. */
  readonly waiters: readonly { readonly id: string; readonly label: string; readonly since: number }[];
}

export interface LockProviderView {
  readonly name: string;
  readonly kind: LockProviderKind;
  readonly promises: readonly LockPromise[];
  readonly health: LockHealth;
  readonly truncated: boolean;
  readonly locks: readonly LockView[];
}

export interface LocksView {
  readonly providers: readonly LockProviderView[];
}
