import { applyWrites, decide, defaultPolicy, type Policy } from "../core/index.ts";
import type { Core } from "../runtime/core-port.ts";
import { AgentModel } from "./agent-model.ts";
import type { AgentHands, Fence } from "./agent-parts.ts";
import { startWriter, type Writer } from "./clients.ts";
import { ControlModel } from "./control.ts";
import { createHook } from "./fencing-hook.ts";
import { Network } from "./network.ts";
import { PostgresModel } from "./postgres-model.ts";
import type { SimWorld, TraceEvent } from "./trace.ts";
import { createWatchdog } from "./watchdog.ts";
import { type Host, World } from "./world.ts";

/** Less than the lease lasts: a frozen agent's machine is gone before anybody counts on it. */
const watchdogBiteMs = 5_000;

export interface SimNode {
  readonly name: string;
  readonly host: Host;
  readonly postgres: PostgresModel;
  readonly agent: AgentModel;
  readonly writer: Writer;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes?: number;
  readonly policy?: Partial<Policy>;
  readonly core?: Core;
  readonly fence?: Fence;
  readonly hands?: AgentHands;
  readonly writeEveryMs?: number;
  /** An asynchronous cluster, and what fences its old primary beside its agent. */
  readonly async?: { readonly maxLagBytes: number; readonly watchdog: boolean; readonly hook: boolean };
  /** A broken loop: commands leave before their commit. */
  readonly sendsBeforeCommit?: boolean;
}

export interface Simulation {
  readonly world: SimWorld;
  readonly network: Network;
  readonly nodes: readonly SimNode[];
  readonly control: ControlModel;
  readonly cluster: string;
}

const realCore: Core = { decide, applyWrites };
export const clusterName = "orders";

/** Hosts `a`, `b`, `c` … with one member each, and `ctl` with the control plane. Everything is up; the cluster is empty. */
export function createSimulation(options: SimulationOptions): Simulation {
  const world: SimWorld = new World<TraceEvent>(options.seed);
  const network = new Network(world);
  const policy: Policy = { ...defaultPolicy, ...options.policy };
  const controlHost = world.addHost("ctl");
  const control = new ControlModel(world, network, controlHost, options.core ?? realCore, policy);
  control.sendsBeforeCommit = options.sendsBeforeCommit ?? false;
  const servers = new Map<string, PostgresModel>();
  const find = (node: string): PostgresModel | undefined => servers.get(node);
  const peers: PostgresModel[] = [];
  let rows = 0;
  const nodes: SimNode[] = [];
  const reboot = (name: string): void => {
    const node = nodes.find((other) => other.name === name);
    node?.writer.restart();
    node?.agent.boot();
  };
  for (const name of ["a", "b", "c", "d", "e"].slice(0, options.nodes ?? 3)) {
    const host = world.addHost(name);
    const postgres = new PostgresModel(world, network, host, find);
    postgres.streamsBySlot = options.hands?.streamsBySlot ?? true;
    servers.set(name, postgres);
    peers.push(postgres);
    const agent = new AgentModel({
      world,
      network,
      host,
      postgres,
      controlHost,
      cluster: clusterName,
      peers: () => peers,
      watchdog:
        options.async?.watchdog === true ? createWatchdog(world, host, watchdogBiteMs, () => reboot(name)) : null,
      fence: options.fence,
      hands: options.hands,
    });
    const writer = startWriter(world, postgres, () => ++rows, options.writeEveryMs ?? 120);
    nodes.push({ name, host, postgres, agent, writer });
  }
  (nodes[0] as SimNode).agent.wantsInitialize = true;
  if (options.async?.hook === true) control.hook = createHook({ world, nodes });
  control.boot();
  for (const node of nodes) node.agent.boot();
  return { world, network, nodes, control, cluster: clusterName };
}
