/** The call graph by index. Built once per window; every kind of evidence walks it. */
export interface CallGraph {
  readonly size: number;
  readonly callees: readonly (readonly number[])[];
  readonly callers: readonly (readonly number[])[];
}

/** Edges that name an unknown node, self-calls and repeated edges are dropped. */
export function buildCallGraph(nodes: readonly string[], edges: readonly (readonly [string, string])[]): CallGraph {
  const index = new Map(nodes.map((node, i) => [node, i]));
  const callees = nodes.map(() => new Set<number>());
  const callers = nodes.map(() => new Set<number>());
  for (const [from, to] of edges) {
    const caller = index.get(from);
    const callee = index.get(to);
    if (caller === undefined || callee === undefined || caller === callee) continue;
    callees[caller]!.add(callee);
    callers[callee]!.add(caller);
  }
  return { size: nodes.length, callees: callees.map((s) => [...s]), callers: callers.map((s) => [...s]) };
}

/** Marks what `start` reaches along calls, itself included. */
export function reachableFrom(graph: CallGraph, start: number): boolean[] {
  const seen = new Array<boolean>(graph.size).fill(false);
  const stack = [start];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen[node]) continue;
    seen[node] = true;
    stack.push(...graph.callees[node]!);
  }
  return seen;
}

/**
 * What a node adds by itself: its total minus the largest total among its callees. The largest and not the sum, because a
 * callee's total also counts the requests of its other callers.
 */
export function ownShare(graph: CallGraph, totals: ArrayLike<number>): number[] {
  return Array.from({ length: graph.size }, (_, node) => {
    let inherited = 0;
    for (const callee of graph.callees[node]!) inherited = Math.max(inherited, totals[callee]!);
    return Math.max(0, totals[node]! - inherited);
  });
}
