type Edges = readonly (readonly [string, string])[];

/** Everything that is reached from a node by calls, without itself unless it is called back. */
export function reachesFrom(edges: Edges, from: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const queue = [from];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const [caller, callee] of edges) {
      if (caller !== at || reached.has(callee)) continue;
      reached.add(callee);
      queue.push(callee);
    }
  }
  return reached;
}

/** The shortest way of calls; only the end where there is none. */
export function findPath(edges: Edges, from: string, to: string): readonly string[] {
  const cameFrom = new Map<string, string | null>([[from, null]]);
  const queue = [from];
  for (let at = queue.shift(); at !== undefined && at !== to; at = queue.shift()) {
    for (const [caller, callee] of edges) {
      if (caller !== at || cameFrom.has(callee)) continue;
      cameFrom.set(callee, at);
      queue.push(callee);
    }
  }
  if (!cameFrom.has(to)) return [to];
  const path: string[] = [];
  for (let at: string | null = to; at !== null; at = cameFrom.get(at) ?? null) path.unshift(at);
  return path;
}
