import type { EdgeSeries, MetricTable, Period, Series, TelemetryWindow } from "../../core/localization/telemetry.ts";
import type { WindowOptions } from "../../ports/telemetry.ts";
import { buildLogs, buildSpans } from "./build-events.ts";
import type { GraphNode, ServiceGraph } from "./resolve-graph.ts";
import { secondsKept } from "./second-series.ts";
import type { TelemetryRecords } from "./telemetry-records.ts";
import type { TrafficSeries } from "./traffic-series.ts";

/** What has just started compiles, connects and fills its caches: its first seconds are not what is normal. */
const warmUpS = 20;

const defaults = { stepS: 5, beforeS: 60, afterS: 300 } as const;

/** Seconds `[from, to)`, cut into steps that begin at `origin + n × stepS`; seconds of `skip` are left out. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly origin: number;
  readonly stepS: number;
  readonly skip: readonly (readonly [number, number])[];
  /** Left out of each series at its beginning. */
  readonly warmUpS: number;
}

/** The localizer's input, from what is in memory; null when nothing was heard since the supposed fault or just before it. */
export function buildWindow(
  records: TelemetryRecords,
  graph: ServiceGraph,
  faultTimeS: number,
  options: WindowOptions,
): TelemetryWindow | null {
  const { stepS, beforeS, afterS } = { ...defaults, ...options };
  const fault = Math.floor(faultTimeS);
  const names = [...graph.nodes.keys()];
  const grid = { origin: fault, stepS, skip: [], warmUpS: 0 };
  const current: Span = { ...grid, from: fault - beforeS, to: fault + afterS };
  const normal: Span = {
    ...grid,
    from: fault - secondsKept,
    to: fault - beforeS,
    skip: options.exclude ?? [],
    warmUpS,
  };
  const period = (span: Span, isCurrent: boolean): Period => {
    const spans = buildSpans(records, graph, names, span, isCurrent);
    const logs = buildLogs(records, names, span, isCurrent, spans?.rows ?? new Map());
    return {
      metrics: buildMetrics(graph, span),
      edgeMetrics: buildEdges(graph, span),
      ...(spans === null ? {} : { spans: spans.table }),
      logs,
    };
  };
  const now = period(current, true);
  const silent = Object.values(now.metrics).every((metrics) => Object.keys(metrics).length === 0);
  if (silent && now.spans === undefined) return null;
  return {
    faultTimeS: fault,
    stepS,
    nodes: names,
    edges: graph.edges.map(({ from, to }) => [from, to] as const),
    hosts: hostsOf(graph),
    ...(options.target === undefined ? {} : { target: options.target }),
    current: now,
    normal: period(normal, false),
  };
}

/** Names of gauges as the localizer knows them; others keep their own. */
const gaugeNames: Readonly<Record<string, string>> = { cpuPercent: "cpu_percent", memoryBytes: "memory_bytes" };

function buildMetrics(graph: ServiceGraph, span: Span): MetricTable {
  const table = Object.create(null) as Record<string, Record<string, Series>>;
  for (const node of graph.nodes.values()) {
    const row = { ...trafficMetrics(node.traffic, span), ...gaugeMetrics(node, span) };
    table[node.name] = row;
  }
  return table;
}

function trafficMetrics(parts: readonly TrafficSeries[], span: Span, prefix = ""): Record<string, Series> {
  if (parts.length === 0) return {};
  const columns = { requests: draft(), error_percent: draft(), latency_mean: draft(), latency_p95: draft() };
  const oldest = Math.min(...parts.map((part) => part.oldest));
  const newest = Math.max(...parts.map((part) => part.newest));
  eachStep(span, (from, to) => {
    if (to <= oldest || from > newest || startsUp(span, from, oldest)) return;
    const total = { count: 0, errors: 0, sumMs: 0, p95Ms: 0 };
    for (const part of parts) {
      const sum = part.sum(from, to);
      total.count += sum.count;
      total.errors += sum.errors;
      total.sumMs += sum.sumMs;
      total.p95Ms = Math.max(total.p95Ms, sum.p95Ms);
    }
    push(columns.requests, from, total.count);
    if (total.count === 0) return;
    push(columns.error_percent, from, (100 * total.errors) / total.count);
    // In seconds: the localizer reckons in what users wait.
    push(columns.latency_mean, from, total.sumMs / total.count / 1_000);
    push(columns.latency_p95, from, total.p95Ms / 1_000);
  });
  const named = Object.entries(columns).filter(([, series]) => series.timesS.length > 0);
  return Object.fromEntries(named.map(([name, series]) => [`${prefix}${name}`, series]));
}

function gaugeMetrics({ record }: GraphNode, span: Span): Record<string, Series> {
  const row: Record<string, Series> = {};
  for (const name of record?.gauges.names ?? []) {
    const series = draft();
    eachStep(span, (from, to) => {
      if (startsUp(span, from, record?.gauges.oldest ?? from)) return;
      let sum = 0;
      let count = 0;
      for (let second = from; second < to; second += 1) {
        const value = record?.gauges.read(name, second) ?? Number.NaN;
        if (Number.isNaN(value)) continue;
        sum += value;
        count += 1;
      }
      if (count > 0) push(series, from, sum / count);
    });
    if (series.timesS.length > 0) row[gaugeNames[name] ?? name] = series;
  }
  return row;
}

function buildEdges(graph: ServiceGraph, span: Span): EdgeSeries[] {
  return graph.edges.flatMap(({ from, to, traffic }) =>
    Object.entries(trafficMetrics(traffic, span, "client_")).map(([metric, series]) => ({ from, to, metric, series })),
  );
}

/** Only services that run on one node: of others no host can be blamed. */
function hostsOf(graph: ServiceGraph): Record<string, string> {
  const hosts = Object.create(null) as Record<string, string>;
  for (const { name, record } of graph.nodes.values()) {
    const [only] = record?.nodes.keys() ?? [];
    if (only !== undefined && record?.nodes.size === 1) hosts[name] = only;
  }
  return hosts;
}

function eachStep({ from, to, origin, stepS, skip }: Span, visit: (from: number, to: number) => void): void {
  const first = origin + Math.ceil((from - origin) / stepS) * stepS;
  for (let at = first; at < to; at += stepS) {
    const end = at + stepS;
    if (skip.some(([begin, stop]) => at < stop && end > begin)) continue;
    visit(at, end);
  }
}

function startsUp({ warmUpS }: Span, at: number, oldest: number): boolean {
  return warmUpS > 0 && at < oldest + warmUpS;
}

interface SeriesDraft {
  readonly timesS: number[];
  readonly values: number[];
}

function draft(): SeriesDraft {
  return { timesS: [], values: [] };
}

function push(series: SeriesDraft, timeS: number, value: number): void {
  series.timesS.push(timeS);
  series.values.push(value);
}
