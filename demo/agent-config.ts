import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { EmbeddedBinaries } from "../server/store/embedded/binaries.ts";
import type { ApiClient } from "./api-client.ts";
import type { DemoNode } from "./demo-node.ts";
import { describePricing, layOutReleases } from "./pricing/releases.ts";
import { shopServices } from "./shop/config.ts";
import type { PostgresPlan } from "./topology.ts";
import { clusterName } from "./topology.ts";

/** The application's database. Only loopback reaches it, so the demo needs no password. */
export const databaseOfApplication = { database: "orders", user: "orders" } as const;

/** Whom the agents connect as. */
export const superuser = "holdfast";

export interface AgentConfigContext {
  /** Of the checkout. */
  readonly root: string;
  /** Where the application's node reaches the members: clients have a way of their own. */
  readonly clients: readonly { readonly node: string; readonly host: string; readonly port: number }[];
  /** Where the application's node takes OpenTelemetry. */
  readonly otlp: { readonly host: string; readonly port: number };
  readonly api: ApiClient;
  readonly binaries: EmbeddedBinaries;
  readonly keep: boolean;
}

interface Enrolment {
  readonly token: string;
  readonly serverKey: string;
}

/** Writes a node's `agent.yaml`, with a fresh one-time token unless the node has enrolled in an earlier run. */
export async function writeAgentConfig(node: DemoNode, context: AgentConfigContext): Promise<void> {
  const { api, binaries, keep } = context;
  const stateDir = join(node.plan.folder, "agent");
  const enrolled = keep && existsSync(stateDir);
  const enrolment = enrolled ? null : await api.post<Enrolment>("enrolment-tokens", { node: node.id });
  const { control, agentHttp, zone } = node.plan;
  const config = {
    node: node.id,
    zone,
    server: `ws://${control.host}:${control.port}`,
    ...(enrolment === null ? {} : { token: enrolment.token, serverKey: enrolment.serverKey }),
    stateDir,
    listen: agentHttp,
    ...("dataDir" in node.plan
      ? {
          services: [describePostgres(node.plan, binaries)],
          programs: [describePricing({ folder: node.plan.folder, listen: node.plan.pricing })],
        }
      : {
          otlp: context.otlp,
          applications: describeShop(),
          peers: context.clients.map((client) => ({ ...client, cluster: clusterName })),
        }),
  };
  if ("dataDir" in node.plan) layOutReleases({ root: context.root, folder: node.plan.folder });
  writeFileSync(node.configPath, stringify(config), { mode: 0o600 });
}

/** The shop's processes are known by their command lines; who calls whom is seen in their spans. */
function describeShop(): Record<string, unknown>[] {
  return shopServices.map((name) => ({ name, command: `shop.js ${name}.json` }));
}

function describePostgres(plan: PostgresPlan, { binDir, runAs }: EmbeddedBinaries): Record<string, unknown> {
  return {
    kind: "postgres",
    cluster: clusterName,
    ...plan.listen,
    advertise: plan.advertised,
    binDir,
    dataDir: plan.dataDir,
    user: superuser,
    ...(runAs === null ? {} : { runAs }),
    initialize: plan.initialize,
    authentication: "trust",
    databases: [{ name: databaseOfApplication.database, owner: databaseOfApplication.user }],
    sqlChanges: true,
    settings: { shared_buffers: "32MB", max_connections: 60, max_prepared_transactions: 20 },
  };
}
