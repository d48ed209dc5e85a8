import type { ServiceKind } from "../../protocol/index.ts";
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
  readonly declared: boolean;
  readonly observed: boolean;
  readonly lastSeenMs: number | null;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly traffic: readonly TrafficSeries[];
  readonly declared: boolean;
  readonly observed: boolean;
  readonly lastSeenMs: number | null;
}

/** A dependency that a person declared, beside those in the configuration of agents. */
export interface Declared {
  readonly from: string;
  readonly to: string;
}

export interface ServiceGraph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly edges: readonly GraphEdge[];
}

interface EdgeDraft {
  readonly from: string;
  readonly to: string;
  readonly calls: CallRecord[];
  declared: boolean;
  observed: boolean;
  lastSeenMs: number | null;
}

/** Who calls whom by the names that are known now: an address that spans have explained is the service behind it. */
export function resolveGraph(records: TelemetryRecords, declared: readonly Declared[] = []): ServiceGraph {
  const drafts = new Map<string, EdgeDraft>();
  const draftOf = (from: string, to: string): EdgeDraft => {
    const key = `${from}\n${to}`;
    const known = drafts.get(key);
    if (known !== undefined) return known;
    const made: EdgeDraft = { from, to, calls: [], declared: false, observed: false, lastSeenMs: null };
    drafts.set(key, made);
    return made;
  };
  for (const call of records.calls.values()) {
    const draft = draftOf(call.from, calleeOf(records, call));
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
      for (const to of dependsOn) draftOf(service.name, to).declared = true;
    }
  }
  for (const { from, to } of declared) draftOf(from, to).declared = true;
  const list = [...drafts.values()];
  return { nodes: collectNodes(records, list), edges: list.map(toEdge) };
}

export function calleeOf(records: TelemetryRecords, call: Pick<CallRecord, "from" | "to" | "kind">): string {
  return call.kind === "address" ? (records.spans.resolve(call.from, call.to) ?? call.to) : call.to;
}

function toEdge({ calls, ...edge }: EdgeDraft): GraphEdge {
  return { ...edge, traffic: calls.map((call) => call.traffic) };
}

function collectNodes(records: TelemetryRecords, edges: readonly EdgeDraft[]): Map<string, GraphNode> {
  const nodes = new Map<string, GraphNode>();
  const inbound = new Map<string, CallRecord[]>();
  for (const { to, calls } of edges) inbound.set(to, [...(inbound.get(to) ?? []), ...calls]);
  const measured = (name: string): TrafficSeries[] => (inbound.get(name) ?? []).map((call) => call.traffic);
  for (const record of records.services.values()) {
    const own = record.traffic.newest > 0;
    nodes.set(record.name, {
      name: record.name,
      kind: "service",
      record,
      traffic: own ? [record.traffic] : measured(record.name),
      declared: record.declared.size > 0,
      observed: true,
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
        kind: kind === undefined ? "service" : kindOfPeer(kind),
        record: null,
        traffic: measured(name),
        declared: edges.some((edge) => edge.declared && (edge.to === name || edge.from === name)),
        observed: calls.length > 0,
        lastSeenMs: calls.length === 0 ? null : Math.max(...calls.map((call) => call.lastSeenMs)),
      });
    }
  }
  return nodes;
}
