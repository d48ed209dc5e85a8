import type { WalRecord } from "./wal.ts";

/** What a modelled server keeps on its disk, who waits for a commit, and how long things take. */

export interface PostgresDisk {
  state: "ok" | "empty" | "broken";
  /** Last record in the page cache: survives a killed process. */
  written: WalRecord;
  /** Last record on stable storage: survives a power loss. */
  flushed: WalRecord;
  /** `synchronous_standby_names` in the configuration file. */
  names: string;
  /** Node in `primary_conninfo`; null when it is empty. */
  upstream: string | null;
  applicationName: string;
  standbySignal: boolean;
  /** Highest timeline that a history file in `pg_wal` names; a promotion takes the next one. */
  historyUpTo: number;
  systemId: string;
  /** The host-based rules let only the agent and standbys in. */
  gateClosed: boolean;
}

export interface Waiter {
  readonly record: WalRecord;
  readonly sinceMs: number;
  /** `acknowledged`: COMMIT returned. `lost`: the session ended first; the client doesn't know. */
  readonly done: (how: "acknowledged" | "lost") => void;
}

export interface PostgresTiming {
  fsyncMs: number;
  startMs: number;
  promoteMs: number;
  walReceiverTimeoutMs: number;
  walRetrieveRetryMs: number;
  userTimeoutMs: number;
}

export const DEFAULT_TIMING: PostgresTiming = {
  fsyncMs: 0.8,
  startMs: 120,
  promoteMs: 25,
  walReceiverTimeoutMs: 5_000,
  walRetrieveRetryMs: 100,
  userTimeoutMs: 3_000,
};
