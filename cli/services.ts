import type { ServiceView, TopologyView, TrafficFigures } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { formatAgo, formatTable, print } from "./print.ts";

/** Services and who calls whom. */

export async function showServices(api: Api, json: boolean): Promise<void> {
  const { items } = await api.get<{ items: readonly ServiceView[] }>("services");
  const nowMs = Date.now();
  print(json, items, () =>
    items.length === 0
      ? ["No service was heard of yet. See docs/telemetry.md for what the agent listens to."]
      : formatTable(
          ["service", "kind", "nodes", "version", "req/s", "errors", "mean", "p95", "calls", "last seen"],
          items.map((service) => [
            service.name,
            service.kind,
            service.nodes.join(", ") || "–",
            service.version ?? "–",
            ...formatTraffic(service.traffic),
            service.dependsOn.join(", ") || "–",
            formatAgo(service.lastSeenAt, nowMs),
          ]),
        ),
  );
}

export async function showTopology(api: Api, json: boolean): Promise<void> {
  const topology = await api.get<TopologyView>("topology");
  const nameOf = (id: string): string => id.slice(id.indexOf(":") + 1);
  const calls = topology.edges.filter((edge) => edge.kind === "calls");
  print(json, topology, () =>
    calls.length === 0
      ? ["No calls between services are known yet."]
      : formatTable(
          ["from", "to", "known", "calls/s", "errors", "mean", "p95"],
          calls.map((edge) => [
            nameOf(edge.from),
            nameOf(edge.to),
            [edge.declared && "declared", edge.observed && "observed"].filter(Boolean).join(", "),
            ...formatTraffic(edge.traffic),
          ]),
        ),
  );
}

function formatTraffic(traffic: TrafficFigures): string[] {
  const ms = (value: number | null): string => (value === null ? "–" : `${value.toFixed(1)} ms`);
  return [
    traffic.perSecond === null ? "–" : traffic.perSecond.toFixed(1),
    traffic.errorShare === null ? "–" : `${(100 * traffic.errorShare).toFixed(1)} %`,
    ms(traffic.latencyMeanMs),
    ms(traffic.latencyP95Ms),
  ];
}
