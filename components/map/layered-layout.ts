/**
 * Places services in columns by the direction of calls: callers left, callees right (layers by longest path; the order within a layer by the mean place of
 * the neighbours, after Sugiyama, Tagawa and Toda 1981). Pure and deterministic: the same names and calls give the same picture, whatever their order
 * and their traffic. Give the last picture's order, and what is still there keeps its place among its neighbours.
 */

export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
}

export interface Place {
  readonly id: string;
  readonly layer: number;
  /** Place within the layer, from the top. */
  readonly row: number;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  readonly layers: readonly (readonly string[])[];
}

const sweeps = 8;

export function layOut(
  ids: readonly string[],
  edges: readonly LayoutEdge[],
  previous: ReadonlyMap<string, Place> = new Map(),
): Layout {
  const nodes = [...new Set(ids)].sort(compare);
  const forward = withoutCycles(nodes, edges);
  const layerOf = assignLayers(nodes, forward);
  const layers = orderLayers(groupLayers(nodes, layerOf, previous), forward, previous.size > 0 ? 2 : sweeps);
  const places = new Map<string, Place>();
  layers.forEach((layer, index) => {
    for (const [row, id] of layer.entries()) places.set(id, { id, layer: index, row });
  });
  return { places, layers };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type Neighbours = ReadonlyMap<string, readonly string[]>;

function neighboursOf(nodes: readonly string[], edges: readonly LayoutEdge[], end: "from" | "to"): Neighbours {
  const map = new Map<string, string[]>(nodes.map((id) => [id, []]));
  const other = end === "from" ? "to" : "from";
  for (const edge of edges) map.get(edge[end])?.push(edge[other]);
  for (const list of map.values()) list.sort(compare);
  return map;
}

/** Calls that close a circle are turned round for the layout; those of a service to itself are left out. */
function withoutCycles(nodes: readonly string[], edges: readonly LayoutEdge[]): LayoutEdge[] {
  const known = new Set(nodes);
  const kept = new Map<string, LayoutEdge>();
  for (const edge of edges) {
    if (edge.from !== edge.to && known.has(edge.from) && known.has(edge.to)) kept.set(`${edge.from}\n${edge.to}`, edge);
  }
  const callees = neighboursOf(nodes, [...kept.values()], "from");
  const callers = neighboursOf(nodes, [...kept.values()], "to");
  // Entries first: what nobody calls is surely a beginning.
  const starts = [...nodes].sort(
    (a, b) => Number((callers.get(a) ?? []).length > 0) - Number((callers.get(b) ?? []).length > 0) || compare(a, b),
  );
  const state = new Map<string, "open" | "done">();
  const backwards = new Set<string>();
  for (const start of starts) {
    if (state.has(start)) continue;
    const stack = [{ id: start, next: 0 }];
    state.set(start, "open");
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const callee = (callees.get(top.id) ?? [])[top.next];
      top.next += 1;
      if (callee === undefined) {
        state.set(top.id, "done");
        stack.pop();
      } else if (state.get(callee) === "open") {
        backwards.add(`${top.id}\n${callee}`);
      } else if (!state.has(callee)) {
        state.set(callee, "open");
        stack.push({ id: callee, next: 0 });
      }
    }
  }
  return [...kept].map(([key, edge]) => (backwards.has(key) ? { from: edge.to, to: edge.from } : edge));
}

/** A service stands right of all its callers. One that neither calls nor is called stands in the first column. */
function assignLayers(nodes: readonly string[], edges: readonly LayoutEdge[]): Map<string, number> {
  const callees = neighboursOf(nodes, edges, "from");
  const waiting = new Map(nodes.map((id) => [id, 0]));
  for (const { to } of edges) waiting.set(to, (waiting.get(to) ?? 0) + 1);
  const layerOf = new Map(nodes.map((id) => [id, 0]));
  const ready = nodes.filter((id) => waiting.get(id) === 0);
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    for (const callee of callees.get(id) ?? []) {
      layerOf.set(callee, Math.max(layerOf.get(callee) ?? 0, (layerOf.get(id) ?? 0) + 1));
      const left = (waiting.get(callee) ?? 1) - 1;
      waiting.set(callee, left);
      if (left === 0) ready.push(callee);
    }
  }
  return layerOf;
}

function groupLayers(
  nodes: readonly string[],
  layerOf: ReadonlyMap<string, number>,
  previous: ReadonlyMap<string, Place>,
): string[][] {
  const layers: string[][] = [];
  for (const id of nodes) {
    const layer = layerOf.get(id) ?? 0;
    while (layers.length <= layer) layers.push([]);
    layers[layer]?.push(id);
  }
  for (const layer of layers) {
    layer.sort((a, b) => (previous.get(a)?.row ?? 1e6) - (previous.get(b)?.row ?? 1e6) || compare(a, b));
  }
  return layers;
}

function orderLayers(layers: string[][], edges: readonly LayoutEdge[], rounds: number): string[][] {
  const nodes = layers.flat();
  const callees = neighboursOf(nodes, edges, "from");
  const callers = neighboursOf(nodes, edges, "to");
  for (let round = 0; round < rounds; round += 1) {
    const down = round % 2 === 0;
    const places = placesOf(layers);
    const order = down ? layers : [...layers].reverse();
    for (const layer of order) {
      sortByNeighbours(layer, down ? callers : callees, places);
      for (const [row, id] of layer.entries()) places.set(id, relative(row, layer.length));
    }
  }
  return layers;
}

/** As a share of the layer's height, so that long and short layers compare. */
function relative(row: number, length: number): number {
  return (row + 0.5) / length;
}

function placesOf(layers: readonly (readonly string[])[]): Map<string, number> {
  return new Map(layers.flatMap((layer) => layer.map((id, row) => [id, relative(row, layer.length)] as const)));
}

/** A service without neighbours on that side keeps its place. */
function sortByNeighbours(layer: string[], neighbours: Neighbours, places: ReadonlyMap<string, number>): void {
  const wanted = new Map(
    layer.map((id) => {
      const near = neighbours.get(id) ?? [];
      const own = places.get(id) ?? 0;
      const mean = near.reduce((sum, each) => sum + (places.get(each) ?? 0), 0) / Math.max(1, near.length);
      return [id, near.length === 0 ? own : mean] as const;
    }),
  );
  layer.sort(
    (a, b) =>
      (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || (places.get(a) ?? 0) - (places.get(b) ?? 0) || compare(a, b),
  );
}
