type Edges = readonly (readonly [string, string])[];

export interface PlacedService {
  readonly name: string;
  readonly column: number;
  readonly row: number;
}

export interface MapLayout {
  readonly services: readonly PlacedService[];
  readonly edges: Edges;
  readonly columns: number;
  readonly rows: number;
}

/** More would not be a small map: the neighbours of the path stay, the rest is left out. */
const servicesShown = 14;

/** The path on the first row from left to right, what it calls beside it below, each as deep as its longest way from the left. */
export function layOutMap(path: readonly string[], edges: Edges): MapLayout {
  const near = new Set(path);
  for (const [from, to] of edges) if (path.includes(from) && near.size < servicesShown) near.add(to);
  for (const [from, to] of edges) if (path.includes(to) && near.size < servicesShown) near.add(from);
  const shown = edges.filter(([from, to]) => near.has(from) && near.has(to) && from !== to);
  const depth = new Map<string, number>(path.map((name, index) => [name, index]));
  for (let round = 0; round < near.size; round += 1) {
    for (const [from, to] of shown) {
      if (path.includes(to)) continue;
      const at = depth.get(from);
      if (at !== undefined && at < servicesShown) depth.set(to, Math.max(depth.get(to) ?? 0, at + 1));
    }
  }
  const filled = new Map<number, number>();
  const services = [...near].map((name): PlacedService => {
    const column = depth.get(name) ?? 0;
    if (path.includes(name)) return { name, column, row: 0 };
    const row = (filled.get(column) ?? 0) + 1;
    filled.set(column, row);
    return { name, column, row };
  });
  return {
    services,
    edges: shown,
    columns: Math.max(1, ...services.map(({ column }) => column + 1)),
    rows: Math.max(1, ...services.map(({ row }) => row + 1)),
  };
}
