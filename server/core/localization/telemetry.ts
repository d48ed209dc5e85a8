/**
 * The localizer's input: one in-memory window of telemetry around a suspected fault, in a format-neutral shape.
 * Adapters (the live store, a case file) build it; nothing in this folder knows where it came from.
 */

/** One metric over time. `timesS` are Unix seconds, ascending; `values[i]` was sampled at `timesS[i]`. */
export interface Series {
  readonly timesS: readonly number[];
  readonly values: readonly number[];
}

/** Metrics by node, then by the metric's own name. */
export type MetricTable = Readonly<Record<string, Readonly<Record<string, Series>>>>;

/** A metric of one call edge, measured by the mesh or by either end of the call. */
export interface EdgeSeries {
  readonly from: string;
  readonly to: string;
  readonly metric: string;
  readonly series: Series;
}

/**
 * Spans, columnar: row `i` of each column is one span.
 * `parent` is the row of the parent span, negative when the span is a root or its parent was not recorded.
 * `node` indexes `TelemetryWindow.nodes` (negative: a node outside the window), `op` indexes `ops`.
 * `startUs` counts from the fault time (negative: before the fault) in the window, from any origin in `normal`.
 */
export interface SpanTable {
  readonly ops: readonly string[];
  readonly trace: readonly number[];
  readonly parent: readonly number[];
  readonly node: readonly number[];
  readonly op: readonly number[];
  readonly startUs: readonly number[];
  readonly durationUs: readonly number[];
}

/** A log line with its variable parts taken out. Two tables name the same template when `node` and `key` agree. */
export interface LogTemplate {
  readonly node: number;
  readonly level: string;
  readonly key: string;
  readonly text: string;
}

/** Log events, columnar. `span` is a row of the span table of the same period, or negative when unknown. */
export interface LogTable {
  readonly templates: readonly LogTemplate[];
  readonly timeMs: readonly number[];
  readonly template: readonly number[];
  readonly span: readonly number[];
}

/** Telemetry of one period. Every part is optional in practice: an empty table means "not observed". */
export interface Period {
  readonly metrics: MetricTable;
  readonly edgeMetrics: readonly EdgeSeries[];
  readonly spans?: SpanTable;
  readonly logs?: LogTable;
}

/** The service-level indicator that broke, when the caller knows it. */
export interface Target {
  readonly node: string;
  readonly metric: string;
}

export interface TelemetryWindow {
  /** When the fault was noticed, Unix seconds. It may have begun up to one sampling period earlier. */
  readonly faultTimeS: number;
  /** Sampling period of the metrics, seconds. */
  readonly stepS: number;
  readonly nodes: readonly string[];
  /** `[caller, callee]`, by node name. */
  readonly edges: readonly (readonly [string, string])[];
  /** Node to the host it runs on, where known. */
  readonly hosts?: Readonly<Record<string, string>>;
  readonly target?: Target;
  /** The period around the fault: samples before and after it. */
  readonly current: Period;
  /** Fault-free operation of the same system. */
  readonly normal: Period;
}
