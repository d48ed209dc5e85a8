/** A call edge with the time it newly loses between its two ends. */
export interface LateEdge {
  readonly from: number;
  readonly to: number;
  readonly lateMs: number;
}

/** A node's part of the lateness, and the late edges that speak for it. */
export interface GapShare<E extends LateEdge> {
  readonly node: number;
  readonly magnitude: number;
  readonly late: readonly E[];
}

/**
 * Which nodes delay their edges. One slow node delays every call to it (and often every call it makes), so each node is
 * scored by the least-squares gain of "this node adds the same delay to each of its edges", sum / sqrt(count); the best
 * node then takes its edges away and the rest compete for what is left, so that a caller is not blamed for the one late
 * callee among many. Source: matching pursuit, Mallat & Zhang, 1993.
 */
export function attributeGaps<E extends LateEdge>(edges: readonly E[]): GapShare<E>[] {
  const shares: GapShare<E>[] = [];
  const unexplained = new Set(edges.filter((edge) => edge.lateMs > 0));
  const nodes = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
  while (unexplained.size > 0) {
    let best: GapShare<E> | undefined;
    for (const node of nodes) {
      const magnitude = Math.max(
        gain(edges, unexplained, (edge) => edge.to === node),
        gain(edges, unexplained, (edge) => edge.to === node || edge.from === node),
      );
      if (magnitude <= (best?.magnitude ?? 0)) continue;
      best = { node, magnitude, late: [...unexplained].filter((edge) => edge.from === node || edge.to === node) };
    }
    if (best === undefined) break;
    shares.push(best);
    nodes.delete(best.node);
    for (const edge of best.late) unexplained.delete(edge);
  }
  return shares;
}

function gain<E extends LateEdge>(
  edges: readonly E[],
  unexplained: ReadonlySet<E>,
  touches: (edge: E) => boolean,
): number {
  let count = 0;
  let total = 0;
  for (const edge of edges) {
    if (!touches(edge)) continue;
    count += 1;
    if (unexplained.has(edge)) total += edge.lateMs;
  }
  return count === 0 ? 0 : total / Math.sqrt(count);
}
