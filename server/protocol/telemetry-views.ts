import type { DroppedCounts, LogLevel } from "./telemetry-frame.ts";

/** Services, how they depend on each other, and what they measured: for screens, the API and the command line. */

export type ServiceKind = "service" | "database" | "cache" | "queue" | "external";

/** Figures of the last seconds; null: nothing was measured. */
export interface TrafficFigures {
  readonly perSecond: number | null;
  /** 0 to 1. */
  readonly errorShare: number | null;
  readonly latencyMeanMs: number | null;
  readonly latencyP95Ms: number | null;
}

export interface ServiceView {
  readonly name: string;
  readonly kind: ServiceKind;
  /** Named in some node's configuration. */
  readonly declared: boolean;
  /** It was seen at work: in spans, in calls or as a process. */
  readonly observed: boolean;
  /** It stands at an end of a TCP connection that was seen within ten minutes, where no calls are. */
  readonly connected: boolean;
  /** Nodes it runs on. Empty for what is only known from calls to it. */
  readonly nodes: readonly string[];
  readonly version: string | null;
  /** When this version was first seen; null when it has always been this one since Holdfast looks. */
  readonly versionSince: number | null;
  readonly lastSeenAt: number | null;
  /** As it measured itself, or as its callers did where it is not instrumented. */
  readonly traffic: TrafficFigures;
  /** Its requests are told by its own spans; false: by its callers', or not at all. */
  readonly tracesItself: boolean;
  /** Newest gauges: `cpuPercent`, `memoryBytes`, `threads`, `openFiles`, `eventLoopLagMs`, … */
  readonly gauges: Readonly<Record<string, number>>;
  readonly dependsOn: readonly string[];
  readonly calledBy: readonly string[];
  /** What it has TCP connections to, without a call that was seen or a declaration. */
  readonly connectedTo: readonly string[];
}

export interface ServiceDetail extends ServiceView {
  readonly calls: readonly TopologyEdge[];
  readonly callers: readonly TopologyEdge[];
  readonly logs: readonly LogTemplateView[];
  /** Metric names that `GET /services/:id/series` answers with. */
  readonly metrics: readonly string[];
}

export interface LogTemplateView {
  readonly level: LogLevel;
  readonly key: string;
  readonly text: string;
  readonly example: string;
  readonly traceId: string | null;
  /** Within the half hour that is kept. */
  readonly count: number;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

export interface TopologyNode {
  /** `service:orders` or `host:app-1`. */
  readonly id: string;
  readonly name: string;
  readonly kind: ServiceKind | "host";
  readonly declared: boolean;
  readonly observed: boolean;
  readonly connected: boolean;
  readonly version: string | null;
  readonly lastSeenAt: number | null;
  readonly traffic: TrafficFigures;
  readonly gauges: Readonly<Record<string, number>>;
}

export interface TopologyEdge {
  /** Ids of nodes. */
  readonly from: string;
  readonly to: string;
  readonly kind: "calls" | "runs-on";
  readonly declared: boolean;
  /** Calls were seen, in spans. */
  readonly observed: boolean;
  /** No calls, but a TCP connection from the one to where the other listens: seen within ten minutes, last at `lastSeenAt`. */
  readonly connected: boolean;
  readonly lastSeenAt: number | null;
  readonly traffic: TrafficFigures;
}

export interface TopologyView {
  readonly at: number;
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  /** What limits left out since the start, by agents and here. */
  readonly dropped: DroppedCounts;
}

/** One sampled span, for a trace's waterfall. */
export interface SpanView {
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | null;
  readonly service: string;
  readonly node: string;
  readonly op: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  readonly peer: string | null;
  /** Unix milliseconds, with fractions. */
  readonly startAt: number;
  readonly durationMs: number;
  readonly failed: boolean;
}
