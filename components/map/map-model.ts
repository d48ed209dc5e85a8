import type {
  HealthState,
  IncidentView,
  TopologyEdge,
  TopologyNode,
  TopologyView,
} from "../../server/protocol/index.ts";

/** One service as the map shows it. */
export interface MapService {
  readonly node: TopologyNode;
  readonly state: HealthState;
  readonly incident: string | null;
}

export interface MapModel {
  readonly services: ReadonlyMap<string, MapService>;
  readonly calls: readonly TopologyEdge[];
}

const failingShare = 0.05;
const staleMs = 90_000;

/** Services and calls with what is wrong with each; hosts are left to the fleet. */
export function readMap(topology: TopologyView, incidents: readonly IncidentView[]): MapModel {
  const open = incidents.filter((incident) => incident.resolvedAt === null);
  const services = new Map<string, MapService>();
  for (const node of topology.nodes) {
    if (node.kind === "host") continue;
    const incident = open.find((each) => names(each, node.name)) ?? null;
    services.set(node.id, { node, state: judge(node, incident, topology.at), incident: incident?.id ?? null });
  }
  const calls = topology.edges.filter(
    (edge) => edge.kind === "calls" && services.has(edge.from) && services.has(edge.to),
  );
  return { services, calls };
}

function names({ cause, symptoms, suspects }: IncidentView, name: string): boolean {
  const first = suspects[0] === undefined ? [] : [suspects[0]];
  return [cause, ...symptoms, ...first].some(({ subject }) => subject.kind === "service" && subject.id === name);
}

function judge(node: TopologyNode, incident: IncidentView | null, atMs: number): HealthState {
  if (incident !== null) return incident.severity <= 2 ? "down" : "degraded";
  if ((node.traffic.errorShare ?? 0) >= failingShare) return "degraded";
  return node.lastSeenAt === null || atMs - node.lastSeenAt > staleMs ? "unknown" : "healthy";
}

/** How the map knows of what no trace shows: the key of the words for it. */
export function originOf({ declared, connected }: { declared: boolean; connected: boolean }) {
  if (!connected) return "declaredOnly";
  return declared ? "declaredConnected" : "connectedOnly";
}

export function isProblem({ state }: MapService): boolean {
  return state !== "healthy" && state !== "unknown" && state !== "maintenance";
}

/** The chosen services with everything that calls them or that they call. */
export function withNeighbours(chosen: ReadonlySet<string>, calls: readonly TopologyEdge[]): Set<string> {
  const found = new Set(chosen);
  for (const { from, to } of calls) {
    if (chosen.has(from)) found.add(to);
    if (chosen.has(to)) found.add(from);
  }
  return found;
}

export type MapView = "all" | "problems" | "focus";

/** What is shown: everything, what is wrong with its neighbours, or one service with its neighbours. */
export function selectShown(model: MapModel, view: MapView, focused: string | null): ReadonlySet<string> {
  if (view === "focus" && focused !== null && model.services.has(focused)) {
    return withNeighbours(new Set([focused]), model.calls);
  }
  if (view !== "problems") return new Set(model.services.keys());
  const wrong = [...model.services].filter(([, service]) => isProblem(service)).map(([id]) => id);
  return withNeighbours(new Set(wrong), model.calls);
}
