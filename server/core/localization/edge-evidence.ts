import type { Context } from "./context.ts";
import type { Finding } from "./evidence.ts";
import { attributeGaps, type LateEdge } from "./gap-attribution.ts";
import { splitAt } from "./series-window.ts";
import { median, overWindows, quantile } from "./statistics.ts";
import type { EdgeSeries, Series, TelemetryWindow } from "./telemetry.ts";

/** The latency of one call at its source minus the latency at its destination, in seconds. */
export interface EdgeGap {
  readonly from: string;
  readonly to: string;
  readonly current: Series;
  readonly history: Series;
}

/** Names that meshes give the two ends of a call. */
const SOURCE = /source|client/;
const DESTINATIONS = ["destination", "server"];

/** Of the normal windows as long as the judged one, this share stays below the usual gap. */
const NOISE_QUANTILE = 0.95;

/** Pairs up the two ends of every call that was measured at both. */
export function observeEdgeGaps({ current, normal }: TelemetryWindow): EdgeGap[] {
  const normalOf = new Map(normal.edgeMetrics.map((edge) => [keyOf(edge), edge.series]));
  const currentOf = new Map(current.edgeMetrics.map((edge) => [keyOf(edge), edge.series]));
  const gaps: EdgeGap[] = [];
  for (const edge of current.edgeMetrics) {
    const { from, to, metric, series } = edge;
    if (!SOURCE.test(metric)) continue;
    const names = DESTINATIONS.map((name) => keyOf({ from, to, metric: metric.replace(SOURCE, name) }));
    const far = names.find((key) => currentOf.has(key));
    if (far === undefined) continue;
    const history = subtract(normalOf.get(keyOf(edge)), normalOf.get(far));
    gaps.push({ from, to, current: subtract(series, currentOf.get(far)), history });
  }
  return gaps;
}

interface LateMeshEdge extends LateEdge {
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Time lost between the two ends of calls, from mesh metrics, by the node that adds it. */
export function findEdgeGap({ window, index, onset }: Context, gaps: readonly EdgeGap[]): Finding[] {
  const edges = gaps.flatMap(({ from, to, current, history }): LateMeshEdge[] => {
    const caller = index.get(from);
    const callee = index.get(to);
    const { before, after } = splitAt(current, onset);
    if (caller === undefined || callee === undefined || after.length === 0) return [];
    const noise = quantile(overWindows(history.values, after.length, median), NOISE_QUANTILE) || 0;
    const beforeMs = Math.max(0, before.length > 0 ? median(before) : 0, noise) * 1000;
    const afterMs = median(after) * 1000;
    return [{ from: caller, to: callee, beforeMs, afterMs, lateMs: Math.max(0, afterMs - beforeMs) }];
  });
  return attributeGaps(edges).map(({ node, magnitude, late }) => {
    const latest = late.reduce((best, edge) => (edge.lateMs > best.lateMs ? edge : best));
    return {
      node,
      family: "network-gap",
      magnitude,
      evidence: {
        kind: "network-gap",
        source: "edge-metrics",
        peers: late.map((edge) => window.nodes[edge.from === node ? edge.to : edge.from]!),
        beforeMs: latest.beforeMs,
        afterMs: latest.afterMs,
      },
    };
  });
}

/** Source minus destination where both were sampled. */
function subtract(source: Series | undefined, destination: Series | undefined): Series {
  const far = new Map(destination?.timesS.map((time, i) => [time, destination.values[i]!]));
  const timesS: number[] = [];
  const values: number[] = [];
  for (const [i, time] of (source?.timesS ?? []).entries()) {
    const other = far.get(time);
    if (other === undefined) continue;
    timesS.push(time);
    values.push(source!.values[i]! - other);
  }
  return { timesS, values };
}

function keyOf({ from, to, metric }: Pick<EdgeSeries, "from" | "to" | "metric">): string {
  return `${from}>${to}>${metric}`;
}
