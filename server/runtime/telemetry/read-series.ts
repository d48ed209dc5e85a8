import type { SeriesView } from "../../protocol/index.ts";
import type { GraphEdge, GraphNode } from "./resolve-graph.ts";
import { secondsKept } from "./second-series.ts";
import { type TrafficSeries, trafficMetrics } from "./traffic-series.ts";

export function readServiceSeries(
  node: GraphNode,
  metrics: readonly string[],
  fromMs: number,
  toMs: number,
): SeriesView {
  const wanted = metrics.length > 0 ? metrics : metricsOf(node);
  return readSeries(fromMs, toMs, wanted, (metric, second) => {
    if (isTraffic(metric)) return readTraffic(node.traffic, metric, second);
    const value = node.record?.gauges.read(metric, second) ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  });
}

export function readCallSeries(edge: GraphEdge, fromMs: number, toMs: number): SeriesView {
  return readSeries(fromMs, toMs, trafficMetrics, (metric, second) => readTraffic(edge.traffic, metric, second));
}

export function metricsOf(node: GraphNode): string[] {
  const traffic = node.traffic.length > 0 ? trafficMetrics : [];
  return [...traffic, ...(node.record?.gauges.names ?? [])];
}

function isTraffic(metric: string): boolean {
  return (trafficMetrics as readonly string[]).includes(metric);
}

/** Several parts are the same calls under several names: sums for counts, the larger one for the rest. */
function readTraffic(parts: readonly TrafficSeries[], metric: string, second: number): number | null {
  let total: number | null = null;
  for (const part of parts) {
    const value = part.read(metric, second);
    if (value === null) continue;
    if (total === null) total = value;
    else total = metric === "requests" ? total + value : Math.max(total, value);
  }
  return total;
}

function readSeries(
  fromMs: number,
  toMs: number,
  metrics: readonly string[],
  read: (metric: string, second: number) => number | null,
): SeriesView {
  const to = Math.floor(toMs / 1_000);
  const from = Math.max(Math.ceil(fromMs / 1_000), to - secondsKept);
  const seconds = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  const series = metrics.map((metric) => [metric, seconds.map((second) => read(metric, second))] as const);
  return { t: seconds.map((second) => second * 1_000), series: Object.fromEntries(series) };
}
