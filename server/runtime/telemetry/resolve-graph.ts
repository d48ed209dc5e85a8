import type { OwnerKind, ServiceKind } from "../../protocol/index.ts";
import type { SeenConnection } from "./connection-records.ts";
import { type CallRecord, kindOfPeer, type ServiceRecord, type TelemetryRecords } from "./telemetry-records.ts";
import type { TrafficSeries } from "./traffic-series.ts";

/** A service, or something that is called and says nothing itself. */
export interface GraphNode {
  readonly name: string;
  readonly kind: ServiceKind;
  /** Null for what is only known from calls or declarations. */
  readonly record: ServiceRecord | null;
  /** Its own figures, or those of its callers where it has none. */
  readonly traffic: readonly TrafficSeries[];
  readonly tracesItself: boolean;
  readonly declared: boolean;
  readonly observed: boolean;
  /** It stands at an end of a connection that was seen lately. */
  readonly connected: boolean;
  readonly lastSeenMs: number | null;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly traffic: readonly TrafficSeries[];
  readonly declared: boolean;
  readonly observed: boolean;
  /** A connection was seen lately, and no call: weaker, for it says neither what was asked nor whether it was answered. */
  readonly connected: boolean;
  readonly lastSeenMs: number | null;
}

/** A connection to a node of which only the address is known. */
export interface HostEdge {
  readonly from: string;
  readonly node: string;
  readonly lastSeenMs: number;
}

/** A dependency that a person declared, beside those in the configuration of agents. */
export interface Declared {
  readonly from: string;
  readonly to: string;
}

export interface ServiceGraph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly edges: readonly GraphEdge[];
  readonly hostEdges: readonly HostEdge[];
}

interface EdgeDraft {
  readonly from: string;
  readonly to: string;
  readonly calls: CallRecord[];
  declared: boolean;
  observed: boolean;
  connected: boolean;
  lastSeenMs: number | null;
}

/**
 * Who calls whom by the names that are known now: an address that spans have explained is the service behind it. A call to itself is the
 * service's own work and no dependency: it makes nobody its caller, and its own lateness is not its callee's. `connections` fill what spans
 * leave empty; faults are localized without them.
 */
export function resolveGraph(
  records: TelemetryRecords,
  declared: readonly Declared[] = [],
  connections: readonly SeenConnection[] = [],
): ServiceGraph {
  const drafts = new Map<string, EdgeDraft>();
  const draftOf = (from: string, to: string): EdgeDraft => {
    const key = `${from}\n${to}`;
    const known = drafts.get(key);
    if (known !== undefined) return known;
    const made: EdgeDraft = {
      from,
      to,
      calls: [],
      declared: false,
      observed: false,
      connected: false,
      lastSeenMs: null,
    };
    drafts.set(key, made);
    return made;
  };
  for (const call of records.calls.values()) {
    const to = calleeOf(records, call);
    if (call.from === to) continue;
    const draft = draftOf(call.from, to);
    draft.calls.push(call);
    draft.observed = true;
    draft.lastSeenMs = Math.max(draft.lastSeenMs ?? 0, call.lastSeenMs);
  }
  for (const [key, atMs] of records.joined) {
    const [from = "", to = ""] = key.split("\n");
    if (from === to) continue;
    const draft = draftOf(from, to);
    draft.observed = true;
    draft.lastSeenMs = Math.max(draft.lastSeenMs ?? 0, atMs);
  }
  for (const service of records.services.values()) {
    for (const { dependsOn } of service.declared.values()) {
      for (const to of dependsOn) if (to !== service.name) draftOf(service.name, to).declared = true;
    }
  }
  for (const { from, to } of declared) draftOf(from, to).declared = true;
  const kinds = addConnections(drafts, draftOf, connections);
  const list = [...drafts.values()];
  return { nodes: collectNodes(records, list, kinds), edges: list.map(toEdge), hostEdges: findHostEdges(connections) };
}

/** Answers with what kept servers are, by their names. */
function addConnections(
  drafts: ReadonlyMap<string, EdgeDraft>,
  draftOf: (from: string, to: string) => EdgeDraft,
  connections: readonly SeenConnection[],
): Map<string, OwnerKind> {
  const kinds = new Map<string, OwnerKind>();
  // Spans name a database by what it holds, its agent by its cluster: who is seen to call one needs no second edge to it.
  const called = new Set<string>();
  for (const { from, calls } of drafts.values()) for (const { kind } of calls) called.add(`${from}\n${kind}`);
  for (const { from, fromKind, to, lastSeenMs } of connections) {
    if ("node" in to || to.service === from) continue;
    const known = drafts.get(`${from}\n${to.service}`);
    if (known?.observed === true) continue;
    if (known === undefined && to.kind !== "service" && called.has(`${from}\n${to.kind}`)) continue;
    const draft = draftOf(from, to.service);
    draft.connected = true;
    draft.lastSeenMs = Math.max(draft.lastSeenMs ?? 0, lastSeenMs);
    kinds.set(from, fromKind);
    kinds.set(to.service, to.kind);
  }
  return kinds;
}

function findHostEdges(connections: readonly SeenConnection[]): HostEdge[] {
  const edges = new Map<string, HostEdge>();
  for (const { from, to, lastSeenMs } of connections) {
    if (!("node" in to)) continue;
    const known = edges.get(`${from}\n${to.node}`);
    edges.set(`${from}\n${to.node}`, { from, node: to.node, lastSeenMs: Math.max(known?.lastSeenMs ?? 0, lastSeenMs) });
  }
  return [...edges.values()];
}

export function calleeOf(records: TelemetryRecords, call: Pick<CallRecord, "from" | "to" | "kind">): string {
  return call.kind === "address" ? (records.spans.resolve(call.from, call.to) ?? call.to) : call.to;
}

function toEdge({ calls, ...edge }: EdgeDraft): GraphEdge {
  return { ...edge, traffic: calls.map((call) => call.traffic) };
}

function collectNodes(
  records: TelemetryRecords,
  edges: readonly EdgeDraft[],
  kinds: ReadonlyMap<string, OwnerKind>,
): Map<string, GraphNode> {
  const connectedAt = new Map<string, number>();
  for (const { from, to, connected, lastSeenMs } of edges) {
    if (!connected) continue;
    for (const name of [from, to]) connectedAt.set(name, Math.max(connectedAt.get(name) ?? 0, lastSeenMs ?? 0));
  }
  const nodes = new Map<string, GraphNode>();
  const inbound = new Map<string, CallRecord[]>();
  for (const { to, calls } of edges) inbound.set(to, [...(inbound.get(to) ?? []), ...calls]);
  const measured = (name: string): TrafficSeries[] => (inbound.get(name) ?? []).map((call) => call.traffic);
  for (const record of records.services.values()) {
    const tracesItself = record.traffic.newest > 0;
    nodes.set(record.name, {
      name: record.name,
      kind: "service",
      record,
      traffic: tracesItself ? [record.traffic] : measured(record.name),
      tracesItself,
      declared: record.declared.size > 0,
      observed: true,
      connected: connectedAt.has(record.name),
      lastSeenMs: record.lastSeenMs,
    });
  }
  for (const { from, to } of edges) {
    for (const name of [from, to]) {
      if (nodes.has(name)) continue;
      const calls = inbound.get(name) ?? [];
      const kind = calls[0]?.kind;
      nodes.set(name, {
        name,
        kind: kind === undefined ? (kinds.get(name) ?? "service") : kindOfPeer(kind),
        record: null,
        traffic: measured(name),
        tracesItself: false,
        declared: edges.some((edge) => edge.declared && (edge.to === name || edge.from === name)),
        observed: calls.length > 0,
        connected: connectedAt.has(name),
        lastSeenMs:
          calls.length === 0 ? (connectedAt.get(name) ?? null) : Math.max(...calls.map((call) => call.lastSeenMs)),
      });
    }
  }
  return nodes;
}
