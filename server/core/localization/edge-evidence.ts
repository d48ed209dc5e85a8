import type { Context } from "./context.ts";
import type { Finding } from "./evidence.ts";
import { attributeGaps, type LateEdge } from "./gap-attribution.ts";
import { splitAt } from "./series-window.ts";
import { median, overWindows, quantile } from "./statistics.ts";
import type { EdgeSeries, Series } from "./telemetry.ts";

/** The latency of one call seen from both ends. */
interface EdgeGap extends LateEdge {
  readonly before: number;
  readonly after: number;
}

/**
 * The same as the spans' network gap, from mesh metrics: latency at the source minus latency at the destination of each
 * call, scored by the least-squares gain of "this node delays each of its edges".
 */
export function findEdgeGap(context: Context): Finding[] {
  const { nodes } = context.window;
  return attributeGaps(measureGaps(context)).map(({ node, magnitude, late }) => ({
    node,
    family: "network-gap",
    magnitude,
    evidence: {
      kind: "network-gap",
      source: "edge-metrics",
      peers: late.map((gap) => nodes[gap.from === node ? gap.to : gap.from]!),
      beforeMs: Math.max(...late.map((gap) => gap.before)),
      afterMs: Math.max(...late.map((gap) => gap.after)),
    },
  }));
}

function measureGaps({ window, index, onset }: Context): EdgeGap[] {
  const normal = new Map(window.normal.edgeMetrics.map((edge) => [keyOf(edge), edge.series]));
  const current = new Map(window.current.edgeMetrics.map((edge) => [keyOf(edge), edge.series]));
  const gaps: EdgeGap[] = [];
  for (const edge of window.current.edgeMetrics) {
    const from = index.get(edge.from);
    const to = index.get(edge.to);
    if (from === undefined || to === undefined || !SOURCE.test(edge.metric)) continue;
    const nearKey = keyOf(edge);
    const farKey = DESTINATIONS.map((name) => keyOf({ ...edge, metric: edge.metric.replace(SOURCE, name) })).find(
      (key) => current.has(key),
    );
    if (farKey === undefined) continue;
    const { before, after } = splitAt(subtract(edge.series, current.get(farKey)!), onset);
    if (after.length === 0) continue;
    const history = subtract(normal.get(nearKey), normal.get(farKey)).values;
    const noisy = quantile(overWindows(history, after.length, median), 0.95) || 0;
    const usual = Math.max(0, before.length > 0 ? median(before) : 0, noisy);
    const now = median(after);
    gaps.push({ from, to, before: usual * 1000, after: now * 1000, lateMs: Math.max(0, now - usual) * 1000 });
  }
  return gaps;
}

/** Names that meshes give the two ends of a call. */
const SOURCE = /source|client/;
const DESTINATIONS = ["destination", "server"];

/** Source minus destination where both were sampled. */
function subtract(source: Series | undefined, destination: Series | undefined): Series {
  const far = new Map(destination?.timesS.map((time, i) => [time, destination.values[i]!]));
  const timesS = (source?.timesS ?? []).filter((time) => far.has(time));
  const values = (source?.values ?? []).flatMap((value, i) => {
    const other = far.get(source!.timesS[i]!);
    return other === undefined ? [] : [value - other];
  });
  return { timesS, values };
}

function keyOf(edge: Pick<EdgeSeries, "from" | "to" | "metric">): string {
  return `${edge.from}>${edge.to}>${edge.metric}`;
}
