import { join } from "node:path";
import type { FabricLink } from "./network/fabric.ts";
import type { PortAddress } from "./network/silent-ports.ts";
import { type ShopService, shopServices } from "./shop/config.ts";

/** Who is there, and at which addresses. Everything is derived from one base port and one folder. */

export const clusterName = "orders";
export const applicationNode = "app-1";

export interface NodePlan {
  readonly id: string;
  readonly zone: string;
  readonly folder: string;
  /** The agent's own HTTP server. */
  readonly agentHttp: PortAddress;
  /** How the agent reaches the control plane: through the network. */
  readonly control: PortAddress;
}

export interface PostgresPlan extends NodePlan {
  /** Where PostgreSQL really listens. */
  readonly listen: PortAddress;
  /** Where its peers reach it: what the node says of itself. */
  readonly advertised: PortAddress;
  /** Where the application reaches it. */
  readonly client: PortAddress;
  readonly dataDir: string;
  /** The node's instance of the service with releases. */
  readonly pricing: PortAddress;
  readonly initialize: boolean;
}

export interface Topology {
  readonly folder: string;
  /** The control plane: screens, API and sockets. */
  readonly server: PortAddress;
  /** The supervisor's own HTTP server, which causes faults. */
  readonly supervisor: PortAddress;
  /** The control plane's embedded store. */
  readonly storePort: number;
  readonly serverFolder: string;
  readonly postgres: readonly PostgresPlan[];
  readonly application: NodePlan;
  /** Where the application node's agent takes OpenTelemetry. */
  readonly otlp: PortAddress;
  /** The web shop's services. */
  readonly shop: Readonly<Record<ShopService, PortAddress>>;
}

const local = "127.0.0.1";
const members = [
  { id: "pg-a", zone: "eu-a" },
  { id: "pg-b", zone: "eu-b" },
  { id: "pg-c", zone: "eu-c" },
];

/** On Linux every node has a loopback address of its own; elsewhere only 127.0.0.1 is there without configuration. */
function nodeHost(index: number): string {
  return process.platform === "linux" ? `127.0.1.${index + 1}` : local;
}

/** The demo uses ports from `basePort` to `basePort + portSpan - 1`, all on loopback. */
export const portSpan = 93;

/** Uses `portSpan` ports from `basePort` on. */
export function planTopology(folder: string, basePort: number): Topology {
  const plan = (id: string, zone: string, index: number): NodePlan => ({
    id,
    zone,
    folder: join(folder, id),
    agentHttp: { host: local, port: basePort + 50 + index },
    control: { host: local, port: basePort + 40 + index },
  });
  return {
    folder,
    server: { host: local, port: basePort },
    supervisor: { host: local, port: basePort + 1 },
    storePort: basePort + 2,
    serverFolder: join(folder, "control-plane"),
    postgres: members.map(({ id, zone }, index) => ({
      ...plan(id, zone, index),
      listen: { host: local, port: basePort + 10 + index },
      advertised: { host: nodeHost(index), port: basePort + 20 + index },
      client: { host: nodeHost(index), port: basePort + 30 + index },
      dataDir: join(folder, id, "postgres"),
      pricing: { host: local, port: basePort + 90 + index },
      initialize: index === 0,
    })),
    application: plan(applicationNode, "eu-a", members.length),
    otlp: { host: local, port: basePort + 80 },
    shop: Object.fromEntries(
      shopServices.map((service, index) => [service, { host: local, port: basePort + 81 + index }]),
    ) as Record<ShopService, PortAddress>,
  };
}

/** Every port the demo listens on, with the words for it. */
export function listPorts(topology: Topology): readonly { readonly address: PortAddress; readonly what: string }[] {
  const nodes = [...topology.postgres, topology.application];
  return [
    { address: topology.server, what: "the control plane" },
    { address: topology.supervisor, what: "the demo's supervisor" },
    { address: { host: local, port: topology.storePort }, what: "the control plane's store" },
    ...nodes.map((node) => ({ address: node.agentHttp, what: `${node.id}'s agent` })),
    { address: topology.otlp, what: "app-1's OpenTelemetry receiver" },
    ...shopServices.map((service) => ({ address: topology.shop[service], what: `the shop's ${service}` })),
    ...topology.postgres.map((node) => ({ address: node.pricing, what: `${node.id}'s pricing service` })),
    ...topology.postgres.map((node) => ({ address: node.listen, what: `${node.id}'s PostgreSQL` })),
    ...listLinks(topology).map((link) => ({ address: link.listen, what: `the network to ${link.to}` })),
  ];
}

/** One link for each way through the network. `from` or `to` name the node whose cut takes the link down. */
export function listLinks(topology: Topology): readonly FabricLink[] {
  const nodes = [...topology.postgres, topology.application];
  const toControl = nodes.map(
    (node): FabricLink => ({
      name: `${node.id} → control plane`,
      kind: "control",
      from: node.id,
      to: "control-plane",
      listen: node.control,
      target: topology.server,
    }),
  );
  const toPostgres = topology.postgres.flatMap((node): FabricLink[] => [
    {
      name: `peers → ${node.id}`,
      kind: "cluster",
      from: "any",
      to: node.id,
      listen: node.advertised,
      target: node.listen,
    },
    {
      name: `clients → ${node.id}`,
      kind: "client",
      from: "any",
      to: node.id,
      listen: node.client,
      target: node.listen,
    },
  ]);
  return [...toControl, ...toPostgres];
}
