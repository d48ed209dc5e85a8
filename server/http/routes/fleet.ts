import * as z from "zod/mini";
import type { Maintenance } from "../../core/index.ts";
import type { SeriesView } from "../../protocol/index.ts";
import { notFound, readReply } from "../problem.ts";
import { actorOf, defineRoute, type Route } from "../route.ts";
import { maintenance, queryInt, reason } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const seriesQuery = z.object({
  fromMs: z.optional(queryInt(0, Number.MAX_SAFE_INTEGER)),
  toMs: z.optional(queryInt(0, Number.MAX_SAFE_INTEGER)),
  stepMs: z.optional(queryInt(1_000, 86_400_000)),
});
type SeriesQuery = z.output<typeof seriesQuery>;

/** What memory holds: ten minutes at one second. */
const recentMs = 600_000;

const nodeSeriesNames = [
  "cpu",
  "load1",
  "memoryUsedBytes",
  "diskUsedBytes",
  "networkRxBytesPerSecond",
  "networkTxBytesPerSecond",
  "suspicion",
  "connections",
  "agentLoopLagMs",
];

export function fleetRoutes(services: HttpServices): Route[] {
  const { control } = services;
  return [
    defineRoute("GET /state", {
      summary: "Everything the live feed carries",
      handle: () => ({ entities: control.listEntities() }),
    }),
    defineRoute("GET /system", { summary: "The control plane itself", handle: () => control.system() }),
    defineRoute("GET /nodes", { summary: "All nodes", handle: () => ({ items: control.listNodes() }) }),
    defineRoute("GET /nodes/:id", {
      summary: "All of one node",
      handle: ({ param }) => found(control.findNode(param("id")), "node", param("id")),
    }),
    defineRoute("GET /nodes/:id/series", {
      summary: "Figures of a node over time",
      query: seriesQuery,
      handle: ({ param, query }) => {
        const recent = found(control.nodeSeries(param("id")), "node", param("id"));
        return readSeries(services, `node:${param("id")}`, nodeSeriesNames, recent, query);
      },
    }),
    defineRoute("PUT /nodes/:id/maintenance", {
      summary: "Mute alerts or hold automation for a node; null ends it",
      body: z.object({ maintenance }),
      handle: async ({ param, body, principal }) => {
        const actor = actorOf(principal);
        const value = withOwner(body.maintenance, actor.name);
        return readReply(
          await control.request(actor, { kind: "set-node-maintenance", node: param("id"), maintenance: value }),
        );
      },
    }),
    defineRoute("POST /nodes/:id/revoke", {
      summary: "Revoke a node's key and drop its connection at once",
      body: z.object({ reason }),
      handle: async ({ param, body, principal }) =>
        readReply(
          await control.request(actorOf(principal), { kind: "revoke-node", node: param("id"), reason: body.reason }),
        ),
    }),
    defineRoute("GET /clusters", { summary: "All clusters", handle: () => ({ items: control.listClusters() }) }),
    defineRoute("GET /clusters/:id", {
      summary: "One cluster",
      handle: ({ param }) => found(control.findCluster(param("id")), "cluster", param("id")),
    }),
    defineRoute("GET /clusters/:id/series", {
      summary: "Figures of a cluster over time",
      query: seriesQuery,
      handle: ({ param, query }) => {
        const recent = found(control.clusterSeries(param("id")), "cluster", param("id"));
        return readSeries(services, `cluster:${param("id")}`, clusterSeriesNames(services, param("id")), recent, query);
      },
    }),
  ];
}

export function found<T>(value: T | null, what: string, id: string): T {
  if (value === null) throw notFound(what, id.slice(0, 60));
  return value;
}

/** Whose switch it is stands beside it. */
export function withOwner(value: Omit<Maintenance, "by"> | null, by: string): Maintenance | null {
  return value === null ? null : { ...value, by };
}

function clusterSeriesNames(services: HttpServices, id: string): string[] {
  const members = services.control.findCluster(id)?.members ?? [];
  const each = ["lagBytes", "lagMs", "responseRatio"];
  const byMember = members.flatMap((member) => each.map((name) => `${name}:${member.node}`));
  return ["writesPerSecond", "latencyMeanMs", "latencyP95Ms", ...byMember];
}

/** From memory where it reaches back far enough, else from the store. */
async function readSeries(
  services: HttpServices,
  subject: string,
  names: readonly string[],
  recent: SeriesView,
  query: SeriesQuery,
): Promise<SeriesView> {
  const toMs = query.toMs ?? services.clock.wallMs();
  const fromMs = query.fromMs ?? toMs - recentMs;
  const oldest = recent.t[0];
  if (toMs - fromMs <= recentMs + 5_000 || (oldest !== undefined && oldest <= fromMs)) return cut(recent, fromMs, toMs);
  const stepMs = query.stepMs ?? Math.max(10_000, Math.ceil((toMs - fromMs) / 600));
  return services.samples.readSeries(subject, names, fromMs, toMs, Math.max(10_000, stepMs));
}

function cut(view: SeriesView, fromMs: number, toMs: number): SeriesView {
  const from = view.t.findIndex((at) => at >= fromMs);
  if (from < 0) return { t: [], series: {} };
  const after = view.t.findIndex((at) => at > toMs);
  const to = after < 0 ? view.t.length : after;
  const series = Object.entries(view.series).map(([name, values]) => [name, values.slice(from, to)] as const);
  return { t: view.t.slice(from, to), series: Object.fromEntries(series) };
}
