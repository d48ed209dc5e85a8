import type { Context } from "./context.ts";
import type { Finding } from "./evidence.ts";
import { attributeGaps, type LateEdge } from "./gap-attribution.ts";
import { splitAt } from "./series-window.ts";
import { median } from "./statistics.ts";
import type { EdgeSeries } from "./telemetry.ts";

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
    family: "edge-gap",
    magnitude,
    evidence: {
      kind: "network-gap",
      peers: late.map((gap) => nodes[gap.from === node ? gap.to : gap.from]!),
      beforeMs: median(late.map((gap) => gap.before)),
      afterMs: median(late.map((gap) => gap.after)),
      calls: 0,
    },
  }));
}

function measureGaps({ window, index }: Context): EdgeGap[] {
  const normalOf = new Map(window.normal.edgeMetrics.map((edge) => [keyOf(edge), edge]));
  const currentOf = new Map(window.current.edgeMetrics.map((edge) => [keyOf(edge), edge]));
  const gaps: EdgeGap[] = [];
  for (const edge of window.current.edgeMetrics) {
    if (!/source|client/.test(edge.metric)) continue;
    const destinationKey = `${edge.from}>${edge.to}>${edge.metric.replace(/source|client/, "")}`;
    const far = [...currentOf.keys()].find(
      (key) => key !== keyOf(edge) && key.replace(/destination|server/, "") === destinationKey,
    );
    const from = index.get(edge.from);
    const to = index.get(edge.to);
    if (far === undefined || from === undefined || to === undefined) continue;
    const source = splitAt(edge.series, window.faultTimeS);
    const destination = splitAt(currentOf.get(far)!.series, window.faultTimeS);
    if (source.after.length === 0 || destination.after.length === 0) continue;
    const normalGap = gapOf(normalOf.get(keyOf(edge))?.series.values ?? [], normalOf.get(far)?.series.values ?? []);
    const beforeGap = gapOf(source.before, destination.before);
    const before = Math.max(0, normalGap, beforeGap);
    const after = gapOf(source.after, destination.after);
    gaps.push({ from, to, before: before * 1000, after: after * 1000, lateMs: Math.max(0, after - before) * 1000 });
  }
  return gaps;
}

function gapOf(source: readonly number[], destination: readonly number[]): number {
  return source.length === 0 || destination.length === 0 ? 0 : median(source) - median(destination);
}

function keyOf(edge: EdgeSeries): string {
  return `${edge.from}>${edge.to}>${edge.metric}`;
}
