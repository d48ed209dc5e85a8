import type { WriterOptions } from "./writer.ts";

/** What the supervisor hands to the application's process, as JSON. */
export interface WriterConfig extends WriterOptions {
  /** The agent of the application's own node; null when nobody is to be told. */
  readonly agentUrl: string | null;
  /** True: every acknowledged write is sent to the parent process (for measurements). */
  readonly streamAcknowledged: boolean;
}

/** Number, node, and when it was sent and acknowledged by the machine's monotonic clock. */
export interface AcknowledgedBatch {
  readonly kind: "acknowledged";
  readonly writes: readonly (readonly [number: number, node: string, sentMs: number, atMs: number])[];
}
