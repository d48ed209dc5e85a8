/** What one service did in the last seconds, as its telemetry told. */
export interface ServiceMeasure {
  readonly name: string;
  /** Nobody calls it but its users: what it does wrong is what they feel. */
  readonly isEntry: boolean;
  readonly requests: number;
  /** 0 to 1; null without a request. */
  readonly errorShare: number | null;
  readonly latencyP95Ms: number | null;
  /** Resident memory of all its processes; null where nobody measures it. */
  readonly memoryBytes: number | null;
  /** Nodes it runs on. */
  readonly nodes: readonly string[];
  /** Everything it reaches by calls, directly or not. */
  readonly reaches: readonly string[];
  /** Clusters whose database it may stand on. */
  readonly clusters: readonly string[];
}

export type Indicator = "error-share" | "latency-p95" | "memory-growth";

/** An indicator that is worse than it may be. */
export interface Breach {
  readonly indicator: Indicator;
  readonly value: number;
  readonly normal: number;
  readonly limit: number;
}

/** Samples of an hour, oldest first. Live. */
export interface MemoryLive {
  readonly samples: number[];
  /** Measures so far. */
  seen: number;
  sampledMs: number;
  /** The most that it took within what is remembered, and when it last went clearly beyond that. */
  highest: number;
  higherMs: number;
  /** When it was last within its limit. */
  soundMs: number;
}

/** What is remembered of a service between measures. Live. */
export interface ServiceLive {
  readonly name: string;
  measure: ServiceMeasure;
  /** Of sound seconds, oldest first. */
  readonly latenciesMs: number[];
  readonly errorShares: number[];
  readonly memory: MemoryLive;
  /** Measures so far. */
  seen: number;
  breach: Breach | null;
  /** Measures in a row with a breach, and without one. */
  badInRow: number;
  goodInRow: number;
  /** Wall clock at which the present row of bad ones began; null while it is sound. */
  badSinceMs: number | null;
}
