import type { TelemetryWindow } from "../../core/localization/telemetry.ts";
import type { Clock } from "../../ports/clock.ts";
import type { TelemetryStore, WindowOptions } from "../../ports/telemetry.ts";
import type {
  LogTemplateView,
  SeriesView,
  ServiceDetail,
  ServiceView,
  SpanView,
  TelemetryFrame,
  TopologyView,
} from "../../protocol/index.ts";
import { buildWindow } from "./build-window.ts";
import type { ClusterMember } from "./connection-records.ts";
import { projectService, projectServiceDetail, projectTopology } from "./project-topology.ts";
import { readCallSeries, readServiceSeries } from "./read-series.ts";
import { type Declared, resolveGraph, type ServiceGraph } from "./resolve-graph.ts";
import { TelemetryRecords } from "./telemetry-records.ts";

/** The graph is the same for all readers of a moment. */
const graphForMs = 500;

const spanKinds = ["internal", "server", "client", "producer", "consumer"] as const;

/** The last half hour of services and their calls, in this process's memory. */
export class LiveTelemetry implements TelemetryStore {
  readonly #records = new TelemetryRecords();
  readonly #clock: Clock;
  #graph: { readonly atMs: number; readonly value: ServiceGraph } | null = null;

  readonly #listDeclared: () => readonly Declared[];
  readonly #listMembers: () => readonly ClusterMember[];

  /** `listDeclared`: the dependencies that people declared. `listMembers`: where members of clusters are reached. */
  constructor(
    clock: Clock,
    listDeclared: () => readonly Declared[] = () => [],
    listMembers: () => readonly ClusterMember[] = () => [],
  ) {
    this.#clock = clock;
    this.#listDeclared = listDeclared;
    this.#listMembers = listMembers;
  }

  take(node: string, frame: TelemetryFrame, arrivalWallMs: number): void {
    this.#records.take(node, frame, arrivalWallMs);
  }

  services(): ServiceView[] {
    const graph = this.#resolve();
    const now = this.#clock.wallMs();
    return [...graph.nodes.values()].map((node) => projectService(graph, node, now)).sort(byName);
  }

  service(name: string): ServiceDetail | null {
    const graph = this.#resolve();
    const node = graph.nodes.get(name);
    if (node === undefined) return null;
    const now = this.#clock.wallMs();
    return projectServiceDetail(graph, node, this.#records.logs.list(name, 0, now + 60_000), now);
  }

  topology(): TopologyView {
    return projectTopology(this.#records, this.#resolve(), this.#clock.wallMs());
  }

  series(service: string, metrics: readonly string[], fromMs: number, toMs: number): SeriesView | null {
    const node = this.#resolve().nodes.get(service);
    return node === undefined ? null : readServiceSeries(node, metrics, fromMs, toMs);
  }

  callSeries(from: string, to: string, fromMs: number, toMs: number): SeriesView | null {
    const edge = this.#resolve().edges.find((each) => each.from === from && each.to === to);
    return edge === undefined ? null : readCallSeries(edge, fromMs, toMs);
  }

  logTemplates(service: string, fromMs: number, toMs: number): LogTemplateView[] {
    return this.#records.logs.list(service, fromMs, toMs);
  }

  trace(traceId: string): SpanView[] {
    const spans = this.#records.spans.trace(traceId).sort((a, b) => a.startAt - b.startAt);
    return spans.map((span) => ({
      traceId,
      id: span.id,
      parent: span.parent === "" ? null : span.parent,
      service: span.service,
      node: span.node,
      op: span.op,
      kind: spanKinds[span.kind] ?? "internal",
      peer: span.peer === "" ? null : (this.#records.spans.resolve(span.service, span.peer) ?? span.peer),
      startAt: span.startAt,
      durationMs: span.durationUs / 1_000,
      failed: span.failed,
    }));
  }

  window(faultTimeS: number, options: WindowOptions = {}): TelemetryWindow | null {
    return buildWindow(this.#records, resolveGraph(this.#records, this.#listDeclared()), faultTimeS, options);
  }

  #resolve(): ServiceGraph {
    const nowMs = this.#clock.monoMs();
    if (this.#graph !== null && nowMs - this.#graph.atMs < graphForMs) return this.#graph.value;
    this.#records.forgetOld(this.#clock.wallMs());
    const connections = this.#records.connections.resolve(this.#listMembers());
    const value = resolveGraph(this.#records, this.#listDeclared(), connections);
    this.#graph = { atMs: nowMs, value };
    return value;
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
