import type { SpanPeer } from "../../server/protocol/index.ts";

/** A finished span, as far as anything here looks at it. */
export interface AppSpan {
  /** 32 and 16 hexadecimal digits; `parent` empty for a root. */
  readonly traceId: string;
  readonly id: string;
  readonly parent: string;
  readonly service: string;
  readonly version: string | null;
  readonly op: string;
  /** 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number;
  /** Unix milliseconds, with fractions. */
  readonly startAt: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly peer: SpanPeer | null;
}

/** A line of a log, or a record that a library exported. */
export interface AppLog {
  readonly service: string;
  readonly level: "debug" | "info" | "warn" | "error" | "fatal" | "unknown";
  readonly text: string;
  readonly at: number;
  readonly traceId: string | null;
  readonly spanId: string | null;
}
