/**
 * What an agent says about the services of its node, about once a second while there is something to say. Live: never spooled, never
 * acknowledged; what is lost is lost. Counts are additive: a second may be told in several frames (spans are exported late), and the
 * control plane adds them up. An agent speaks only about its own node, so the node is the session's and not in the frame.
 */
export interface TelemetryFrame {
  readonly t: "telemetry";
  /** The node's wall clock when the frame was made, Unix milliseconds. */
  readonly at: number;
  readonly services: readonly SeenService[];
  /** Newest value of each gauge. */
  readonly gauges: readonly Gauge[];
  readonly buckets: readonly TelemetryBucket[];
  readonly spans: SpanColumns;
  readonly logs: readonly LogCount[];
  readonly dropped: DroppedCounts;
  /** All connections of now; absent while they are what they were, and where they can't be seen. */
  readonly connections?: ConnectionReport | undefined;
}

export interface SeenService {
  readonly name: string;
  readonly version: string | null;
  /** Dependencies that the node's configuration declares; empty for a service that was only seen. */
  readonly dependsOn: readonly string[];
  /** Whether the node's configuration names it. */
  readonly declared: boolean;
}

export interface Gauge {
  /** Null: of the host. */
  readonly service: string | null;
  /** Unit last: `cpuPercent`, `memoryBytes`, `eventLoopLagMs`, `diskUsedBytes:/var`. */
  readonly name: string;
  readonly value: number;
}

/** What ended within one second of the node's clock. */
export interface TelemetryBucket {
  /** Unix seconds, whole. */
  readonly second: number;
  readonly requests: readonly RequestCount[];
  readonly calls: readonly CallCount[];
}

/** Requests that a service answered. */
export interface RequestCount extends DurationCount {
  readonly service: string;
}

/** Calls that a service made, as the caller saw them. */
export interface CallCount extends DurationCount {
  readonly from: string;
  /** Name of the callee, or `host:port` when `kind` is `address`. */
  readonly to: string;
  readonly kind: PeerKind;
}

/** `address`: only host and port are known yet; the control plane finds the service by joining spans. */
export type PeerKind = "service" | "database" | "cache" | "queue" | "address";

export interface DurationCount {
  readonly count: number;
  readonly errors: number;
  readonly durationSumMs: number;
  readonly durationMaxMs: number;
  /** Sparse histogram: bucket, count, bucket, count … as `durationBucket` numbers them. */
  readonly histogram: readonly number[];
}

/**
 * Sampled spans, columnar: entry `i` of each column is one span. Whole traces are kept or left out by their id, so that all nodes keep
 * the same ones: those whose `traceLevel` is at least `level`.
 */
export interface SpanColumns {
  readonly level: number;
  readonly services: readonly string[];
  readonly ops: readonly string[];
  readonly peers: readonly SpanPeer[];
  /** 32 hexadecimal digits. */
  readonly traces: readonly string[];
  /** Indexes into `traces`, `services`, `ops`, `peers` (-1: none). */
  readonly trace: readonly number[];
  readonly service: readonly number[];
  readonly op: readonly number[];
  readonly peer: readonly number[];
  /** 16 hexadecimal digits; `parent` empty for a root. */
  readonly id: readonly string[];
  readonly parent: readonly string[];
  /** 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: readonly number[];
  /** Against the frame's `at`, microseconds. */
  readonly startUs: readonly number[];
  readonly durationUs: readonly number[];
  /** 1: it failed. */
  readonly error: readonly number[];
}

export interface SpanPeer {
  readonly name: string;
  readonly kind: PeerKind;
}

export interface LogCount {
  readonly service: string;
  readonly level: LogLevel;
  /** Names the template on every node alike. */
  readonly key: string;
  readonly text: string;
  readonly count: number;
  readonly example: string;
  readonly traceId: string | null;
  /** Where lines of it stand in sampled traces; not all of them. */
  readonly events: readonly LogEvent[];
}

export interface LogEvent {
  readonly traceId: string;
  readonly spanId: string;
  /** The node's wall clock, Unix milliseconds. */
  readonly at: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal" | "unknown";

/** Where the services of the node listen, and whom they are connected to: TCP, as the kernel lists it. A whole picture, not a difference. */
export interface ConnectionReport {
  /** Kernel and network namespace: loopback addresses lead to the same machine within it. */
  readonly scope: string;
  /** The node's own addresses, without loopback. */
  readonly addresses: readonly string[];
  readonly listens: readonly (ConnectionEnd & { readonly service: string; readonly kind: OwnerKind })[];
  readonly calls: readonly (ConnectionEnd & {
    readonly service: string;
    readonly kind: OwnerKind;
    /** The name that the node's configuration gives to this address. */
    readonly alias: string | null;
    /** Open connections of this pair. */
    readonly sockets: number;
  })[];
}

export interface ConnectionEnd {
  /** IPv4, or IPv6 in its shortest form; `*`: every address of the node. */
  readonly address: string;
  readonly port: number;
}

/** What the agent watches as a service: an application, or a server that it keeps. */
export type OwnerKind = "service" | "database" | "cache";

/** What the agent left out since its last frame because a limit was reached. Sampling is no drop. */
export interface DroppedCounts {
  /** Spans beyond the rate limit: neither counted nor kept. */
  readonly spans: number;
  readonly services: number;
  readonly calls: number;
  readonly logs: number;
  readonly errors: number;
  /** Payloads refused as malformed or too large. */
  readonly payloads: number;
}

export const noneDropped: DroppedCounts = { spans: 0, services: 0, calls: 0, logs: 0, errors: 0, payloads: 0 };

export const emptySpans: SpanColumns = {
  level: 0,
  services: [],
  ops: [],
  peers: [],
  traces: [],
  trace: [],
  service: [],
  op: [],
  peer: [],
  id: [],
  parent: [],
  kind: [],
  startUs: [],
  durationUs: [],
  error: [],
};
