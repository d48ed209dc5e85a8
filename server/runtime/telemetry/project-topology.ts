import type {
  LogTemplateView,
  ServiceDetail,
  ServiceView,
  TopologyEdge,
  TopologyNode,
  TopologyView,
  TrafficFigures,
} from "../../protocol/index.ts";
import { metricsOf } from "./read-series.ts";
import type { GraphEdge, GraphNode, HostEdge, ServiceGraph } from "./resolve-graph.ts";
import type { TelemetryRecords } from "./telemetry-records.ts";
import { noTraffic, type TrafficSeries } from "./traffic-series.ts";

/** Spans are exported some seconds late: the figures of now are those of these seconds. */
const figuresFromS = 16;
const figuresToS = 1;
const gaugesWithinS = 15;
/** A node that did not name a service for this long does not run it any more. */
const nodeForgottenMs = 60_000;

export function projectService(graph: ServiceGraph, node: GraphNode, nowMs: number): ServiceView {
  const { record } = node;
  return {
    ...common(node, nowMs),
    nodes: nodesOf(node, nowMs),
    tracesItself: node.tracesItself,
    versionSince: record?.versionSince ?? null,
    dependsOn: graph.edges.filter((edge) => edge.from === node.name && isDependency(edge)).map((edge) => edge.to),
    calledBy: graph.edges.filter((edge) => edge.to === node.name && isDependency(edge)).map((edge) => edge.from),
    connectedTo: graph.edges.filter((edge) => edge.from === node.name && !isDependency(edge)).map((edge) => edge.to),
  };
}

/** Seen in calls or declared. Everything that judges reckons with these alone. */
function isDependency(edge: GraphEdge): boolean {
  return edge.observed || edge.declared;
}

export function projectServiceDetail(
  graph: ServiceGraph,
  node: GraphNode,
  logs: readonly LogTemplateView[],
  nowMs: number,
): ServiceDetail {
  const toEdge = (edge: GraphEdge) => projectEdge(edge, nowMs);
  return {
    ...projectService(graph, node, nowMs),
    calls: graph.edges.filter((edge) => edge.from === node.name).map(toEdge),
    callers: graph.edges.filter((edge) => edge.to === node.name).map(toEdge),
    logs,
    metrics: metricsOf(node),
  };
}

export function projectTopology(records: TelemetryRecords, graph: ServiceGraph, nowMs: number): TopologyView {
  const services = [...graph.nodes.values()];
  const runsOn = services.flatMap((service): TopologyEdge[] =>
    nodesOf(service, nowMs).map((node) => ({
      from: serviceId(service.name),
      to: hostId(node),
      kind: "runs-on",
      declared: service.record?.declared.has(node) ?? false,
      observed: true,
      connected: false,
      lastSeenAt: service.record?.nodes.get(node) ?? null,
      traffic: noTraffic,
    })),
  );
  return {
    at: nowMs,
    nodes: [
      ...services.map((node): TopologyNode => ({ id: serviceId(node.name), ...common(node, nowMs) })),
      ...[...records.hosts.values()].map(
        ({ node, gauges, lastSeenMs }): TopologyNode => ({
          id: hostId(node),
          name: node,
          kind: "host",
          declared: true,
          observed: true,
          connected: graph.hostEdges.some((edge) => edge.node === node),
          version: null,
          lastSeenAt: lastSeenMs,
          traffic: noTraffic,
          gauges: gauges.latest(Math.floor(nowMs / 1_000), gaugesWithinS),
        }),
      ),
    ],
    edges: [...graph.edges.map((edge) => projectEdge(edge, nowMs)), ...graph.hostEdges.map(projectHostEdge), ...runsOn],
    dropped: records.dropped,
  };
}

/** What a service's own view and its node of the map share. */
function common(node: GraphNode, nowMs: number): Omit<TopologyNode, "id" | "kind"> & Pick<ServiceView, "kind"> {
  const { record } = node;
  return {
    name: node.name,
    kind: node.kind,
    declared: node.declared,
    observed: node.observed,
    connected: node.connected,
    version: record?.version ?? null,
    lastSeenAt: node.lastSeenMs,
    traffic: figuresOf(node.traffic, nowMs),
    gauges: record?.gauges.latest(Math.floor(nowMs / 1_000), gaugesWithinS) ?? {},
  };
}

function projectEdge(edge: GraphEdge, nowMs: number): TopologyEdge {
  return {
    from: serviceId(edge.from),
    to: serviceId(edge.to),
    kind: "calls",
    declared: edge.declared,
    observed: edge.observed,
    connected: edge.connected,
    lastSeenAt: edge.lastSeenMs,
    traffic: figuresOf(edge.traffic, nowMs),
  };
}

function projectHostEdge({ from, node, lastSeenMs }: HostEdge): TopologyEdge {
  return {
    from: serviceId(from),
    to: hostId(node),
    kind: "calls",
    declared: false,
    observed: false,
    connected: true,
    lastSeenAt: lastSeenMs,
    traffic: noTraffic,
  };
}

function nodesOf({ record }: GraphNode, nowMs: number): string[] {
  if (record === null) return [];
  return [...record.nodes].filter(([, atMs]) => nowMs - atMs < nodeForgottenMs).map(([node]) => node);
}

function figuresOf(parts: readonly TrafficSeries[], nowMs: number): TrafficFigures {
  const now = Math.floor(nowMs / 1_000);
  const from = now - figuresFromS;
  const to = now - figuresToS;
  const [first] = parts;
  if (first === undefined) return noTraffic;
  if (parts.length === 1) return first.figures(from, to);
  const sums = parts.map((part) => part.sum(from, to));
  const count = sums.reduce((total, each) => total + each.count, 0);
  if (count === 0) return { ...noTraffic, perSecond: parts.some((part) => part.newest >= from) ? 0 : null };
  const add = (read: (sum: (typeof sums)[number]) => number) => sums.reduce((total, each) => total + read(each), 0);
  return {
    perSecond: count / (to - from),
    errorShare: add((sum) => sum.errors) / count,
    latencyMeanMs: add((sum) => sum.sumMs) / count,
    latencyP95Ms: add((sum) => sum.p95Ms * sum.count) / count,
  };
}

export function serviceId(name: string): string {
  return `service:${name}`;
}

export function hostId(node: string): string {
  return `host:${node}`;
}
