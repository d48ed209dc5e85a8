import type { Command } from "commander";
import type { ServiceView, TopologyView, TrafficFigures } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { formatAgo, formatTable, print } from "./print.ts";

/** Services and who calls whom. */
export function addServices(program: Command, api: () => Api): void {
  const services = program.command("services").description("services, their traffic and what they call");
  services
    .command("list", { isDefault: true })
    .description("all of them")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => showServices(api(), json));
  const declare = (name: string, declared: boolean, description: string) =>
    services
      .command(`${name} <service> <other>`)
      .description(description)
      .option("--reason <text>", "why: it stands in the audit", "")
      .option("--json", "print JSON", false)
      .action((from: string, to: string, { reason, json }: { reason: string; json: boolean }) =>
        declareDependency(api(), { from, to, declared, reason }, json),
      );
  declare("depend", true, "declare that a service calls another, also where no call was seen yet");
  declare("undepend", false, "take such a declaration back; calls that are seen stay on the map");
  program
    .command("topology")
    .description("who calls whom, and how that is known: declared, observed in calls, or only a TCP connection")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => showTopology(api(), json));
}

interface Declaration {
  readonly from: string;
  readonly to: string;
  readonly declared: boolean;
  readonly reason: string;
}

async function declareDependency(api: Api, declaration: Declaration, json: boolean): Promise<void> {
  const done = await api.send("PUT", "dependencies", declaration);
  const { from, to, declared } = declaration;
  print(json, done, () => [
    declared ? `${from} depends on ${to}.` : `${from} is not declared to depend on ${to} any more.`,
  ]);
}

async function showServices(api: Api, json: boolean): Promise<void> {
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
            [...service.dependsOn, ...service.connectedTo.map((name) => `${name} (connection)`)].join(", ") || "–",
            formatAgo(service.lastSeenAt, nowMs),
          ]),
        ),
  );
}

async function showTopology(api: Api, json: boolean): Promise<void> {
  const topology = await api.get<TopologyView>("topology");
  const nameOf = (id: string): string => id.replace(/^service:/, "").replace(/^host:/, "node ");
  const calls = topology.edges.filter((edge) => edge.kind === "calls");
  print(json, topology, () =>
    calls.length === 0
      ? ["No calls between services are known yet."]
      : formatTable(
          ["from", "to", "known", "calls/s", "errors", "mean", "p95", "last seen"],
          calls.map((edge) => [
            nameOf(edge.from),
            nameOf(edge.to),
            [edge.declared && "declared", edge.observed && "observed", edge.connected && "connection"]
              .filter(Boolean)
              .join(", "),
            ...formatTraffic(edge.traffic),
            formatAgo(edge.lastSeenAt, topology.at),
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
