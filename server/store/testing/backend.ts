import type { Stores } from "../types.ts";

/** One database of its own, opened. */
export interface OpenBackend {
  readonly stores: Stores;
  /** Another process on the same database. */
  openAnother(): Stores;
  /** Makes the database unreachable, and reachable again. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** What somebody with full rights over the database could do. */
  readonly tamper: {
    changeAuditBody(seq: number): Promise<void>;
    removeAuditEntry(seq: number): Promise<void>;
  };
  close(): Promise<void>;
}

export interface Backend {
  readonly name: string;
  open(): Promise<OpenBackend>;
}
