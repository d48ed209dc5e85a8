import type { TelemetryWindow } from "../core/localization/telemetry.ts";
import type {
  LogTemplateView,
  SeriesView,
  ServiceDetail,
  ServiceView,
  SpanView,
  TelemetryFrame,
  TopologyView,
} from "../protocol/index.ts";

export interface WindowOptions {
  /** Sampling period of the metrics that the window shows; the fault time is on its grid. */
  readonly stepS?: number;
  /** How much before and after the fault is `current`. */
  readonly beforeS?: number;
  readonly afterS?: number;
  /** Periods that were not fault-free, Unix seconds: left out of `normal`. */
  readonly exclude?: readonly (readonly [number, number])[];
  /** The indicator that broke, when it is known. */
  readonly target?: { readonly node: string; readonly metric: string };
}

/**
 * The last half hour of what services did, in memory and bounded: per-second series by service and call, sampled spans, counts of log
 * templates, topology. Lost at a restart. Nothing here throws or waits.
 */
export interface TelemetryStore {
  /** Adds a frame of a node. `arrivalWallMs` corrects a node's clock that is seconds off. */
  take(node: string, frame: TelemetryFrame, arrivalWallMs: number): void;
  services(): readonly ServiceView[];
  service(name: string): ServiceDetail | null;
  topology(): TopologyView;
  /**
   * One metric of a service over time, a value a second (null: none): `requests`, `errorPercent`, `latencyMeanMs`, `latencyP95Ms`, or the
   * name of a gauge. Null when there is no such service.
   */
  series(service: string, metrics: readonly string[], fromMs: number, toMs: number): SeriesView | null;
  /** The same of the calls from one service to another. */
  callSeries(from: string, to: string, fromMs: number, toMs: number): SeriesView | null;
  logTemplates(service: string, fromMs: number, toMs: number): readonly LogTemplateView[];
  /** Sampled spans of a trace, by start. */
  trace(traceId: string): readonly SpanView[];
  /** The localizer's input; null when no service was heard around that time. */
  window(faultTimeS: number, options?: WindowOptions): TelemetryWindow | null;
}
