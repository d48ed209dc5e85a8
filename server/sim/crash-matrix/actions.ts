import type { ActionKind, Policy } from "../../core/index.ts";
import { requestAction } from "../nemesis/control.ts";
import { createPick } from "../nemesis/nemesis.ts";
import { cutLinks, isolate } from "../nemesis/network.ts";
import { clusterName, createSimulation, type SimNode, type Simulation } from "../simulation.ts";

/** What leads to one action of each kind, the same way every time. */
export interface MatrixAction {
  readonly name: string;
  readonly kind: ActionKind;
  /** When its cause is set, milliseconds; 0: the cluster is just being put together. */
  readonly atMs: number;
  readonly policy?: Partial<Policy>;
  /** Nothing is promised yet: until the first recorded set is in force, what is taken over is as safe as it was. */
  readonly isTakenOver?: boolean;
  /** Before anything runs. */
  prepare?(sim: Simulation): void;
  cause?(sim: Simulation): void;
}

const calmMs = 9_000;

function nodeCalled(sim: Simulation, name: string): SimNode {
  const node = sim.nodes.find((other) => other.name === name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
}

/** Server and agent die; the agent is started again by its service manager. */
function crash(sim: Simulation, name: string, backAfterMs: number): void {
  const { postgres, agent } = nodeCalled(sim, name);
  sim.world.kill(postgres.process);
  sim.world.kill(agent.process);
  sim.world.after(backAfterMs, null, () => agent.boot());
}

/** A server that ran before Holdfast came. */
function runByHand(sim: Simulation): void {
  const { postgres, agent } = nodeCalled(sim, "a");
  agent.wantsInitialize = false;
  // Started by a person, before any agent could be asked.
  agent.startedUnder = "primary";
  postgres.disk.names = "ANY 1 (by_hand)";
  postgres.disk.state = "ok";
  postgres.disk.systemId = "by-hand";
  postgres.start();
}

export const matrixActions: readonly MatrixAction[] = [
  { name: "initialize", kind: "initialize", atMs: 0 },
  { name: "adopt", kind: "adopt", atMs: 0, prepare: runByHand, isTakenOver: true },
  { name: "clone", kind: "rejoin", atMs: 0 },
  { name: "failover", kind: "failover", atMs: calmMs, cause: (sim) => crash(sim, "a", 6_000) },
  {
    name: "switchover",
    kind: "switchover",
    atMs: calmMs,
    cause: (sim) => {
      requestAction(sim, { ...createPick(sim), other: () => nodeCalled(sim, "b") }, "switchover", "operator");
    },
  },
  {
    name: "rewind",
    kind: "rejoin",
    atMs: calmMs,
    cause: (sim) => {
      const heal = cutLinks(sim, isolate(sim, "a"));
      sim.world.after(6_000, null, heal);
    },
  },
  { name: "reconfigure", kind: "reconfigure", atMs: calmMs, cause: (sim) => crash(sim, "b", 14_000) },
  {
    name: "restart",
    kind: "restart",
    atMs: calmMs,
    policy: { onPostgresExit: "restart" },
    cause: (sim) => sim.world.kill(nodeCalled(sim, "a").postgres.process),
  },
];

const matrixSeed = 11;

export function createMatrixSimulation(action: MatrixAction): Simulation {
  const sim = createSimulation({ seed: matrixSeed, policy: { failoverBudget: 1_000, ...action.policy } });
  if (sim.cluster !== clusterName) throw new Error("another cluster");
  action.prepare?.(sim);
  return sim;
}
