import type { SimNode, Simulation } from "../simulation.ts";
import type { Process } from "../world.ts";
import { currentPrimary, type Nemesis } from "./nemesis.ts";

export function freezeAll(sim: Simulation, processes: readonly Process[]): () => void {
  const stopped = processes.filter((process) => process.alive && !process.frozen);
  const incarnations = stopped.map((process) => process.incarnation);
  for (const process of stopped) sim.world.freeze(process);
  return () => {
    stopped.forEach((process, index) => {
      if (process.incarnation === incarnations[index]) sim.world.resume(process);
    });
  };
}

export function cutPower(sim: Simulation, node: SimNode): () => void {
  node.host.up = false;
  for (const process of node.host.processes) sim.world.kill(process, "power");
  return () => {
    node.host.up = true;
    node.writer.restart();
    node.agent.boot();
  };
}

const trappedVerbs = [
  "postgres.seal",
  "postgres.promote",
  "postgres.follow",
  "postgres.configure",
  "postgres.verify",
  "postgres.demote",
  "postgres.regrant",
  "postgres.rejoin",
  "postgres.restart",
  "postgres.learn",
] as const;

/** Waits for a command to begin somewhere, and strikes its node a moment later: the agent, its server or the power. */
export function strikeAtCommand(
  sim: Simulation,
  verbs: readonly string[],
  strike: (node: SimNode) => void,
  delayMs: number,
): () => void {
  let armed = true;
  sim.world.listen((event) => {
    if (!armed || event.kind !== "command-began" || !verbs.includes(event.command.verb.verb)) return;
    armed = false;
    const node = sim.nodes.find((other) => other.name === event.node);
    if (node !== undefined) sim.world.after(delayMs, null, () => strike(node));
  });
  return () => {
    armed = false;
  };
}

/** Faults of processes and machines. */
export const processFaults: readonly Nemesis[] = [
  {
    name: "mid-command",
    weight: 10,
    lastsMs: [20_000, 60_000],
    begin: (sim, pick) => {
      const verb = pick.one(trappedVerbs);
      const what = pick.one(["agent", "postgres", "power", "both"] as const);
      const delayMs = pick.between(0, 60);
      const backMs = pick.between(300, 6_000);
      const heals: (() => void)[] = [];
      const strike = (node: SimNode): void => {
        if (what === "power") heals.push(cutPower(sim, node));
        else {
          if (what !== "agent") sim.world.kill(node.postgres.process);
          if (what !== "postgres") sim.world.kill(node.agent.process);
          heals.push(() => node.agent.boot());
        }
        sim.world.after(backMs, null, () =>
          heals.splice(0).forEach((heal) => {
            heal();
          }),
        );
      };
      const disarm = strikeAtCommand(sim, [verb], strike, delayMs);
      const heal = (): void => {
        disarm();
        for (const undo of heals.splice(0)) undo();
      };
      return { subject: `${what} at ${verb} + ${Math.round(delayMs)} ms`, heal };
    },
  },
  {
    name: "slots-full",
    weight: 2,
    lastsMs: [2_000, 30_000],
    begin: (_sim, pick) => {
      const node = pick.node();
      node.postgres.slotsFull = true;
      return {
        subject: node.name,
        heal: () => {
          node.postgres.slotsFull = false;
        },
      };
    },
  },
  {
    name: "crash",
    weight: 10,
    lastsMs: [500, 20_000],
    begin: (sim, pick) => {
      const node = pick.node();
      sim.world.kill(node.postgres.process);
      sim.world.kill(node.agent.process);
      return { subject: node.name, heal: () => node.agent.boot() };
    },
  },
  {
    name: "pgkill",
    weight: 8,
    lastsMs: [10, 20],
    begin: (sim, pick) => {
      const node = pick.node();
      sim.world.kill(node.postgres.process);
      return { subject: node.name, heal: () => {} };
    },
  },
  {
    name: "power",
    weight: 7,
    lastsMs: [2_000, 40_000],
    begin: (sim, pick) => {
      const node = pick.node();
      return { subject: node.name, heal: cutPower(sim, node) };
    },
  },
  {
    name: "power-all",
    weight: 1,
    lastsMs: [2_000, 20_000],
    begin: (sim) => {
      const heals = sim.nodes.map((node) => cutPower(sim, node));
      return {
        subject: "every node",
        heal: () => {
          for (const heal of heals) heal();
        },
      };
    },
  },
  {
    name: "freeze",
    weight: 8,
    lastsMs: [300, 60_000],
    begin: (sim, pick) => {
      const node = pick.node();
      return { subject: node.name, heal: freezeAll(sim, node.host.processes) };
    },
  },
  {
    name: "pgfreeze",
    weight: 7,
    lastsMs: [300, 60_000],
    begin: (sim, pick) => {
      const node = pick.node();
      return { subject: node.name, heal: freezeAll(sim, [node.postgres.process]) };
    },
  },
  {
    name: "agent-kill",
    weight: 6,
    lastsMs: [200, 10_000],
    begin: (sim, pick) => {
      const node = pick.node();
      sim.world.kill(node.agent.process);
      return { subject: node.name, heal: () => node.agent.boot() };
    },
  },
  {
    name: "agent-freeze",
    weight: 4,
    lastsMs: [300, 30_000],
    begin: (sim, pick) => {
      const node = pick.node();
      return { subject: node.name, heal: freezeAll(sim, [node.agent.process]) };
    },
  },
  {
    name: "loaded-machine",
    weight: 4,
    lastsMs: [2_000, 40_000],
    begin: (_sim, pick) => {
      const node = pick.node();
      node.host.load *= pick.between(2, 12);
      return {
        subject: node.name,
        heal: () => {
          node.host.load = 1;
        },
      };
    },
  },
  {
    name: "disk-stuck",
    weight: 3,
    lastsMs: [500, 30_000],
    begin: (_sim, pick) => {
      const node = pick.node();
      node.postgres.diskStuck = true;
      return {
        subject: node.name,
        heal: () => {
          node.postgres.diskStuck = false;
        },
      };
    },
  },
  {
    name: "disk-full",
    weight: 2,
    lastsMs: [2_000, 40_000],
    begin: (sim, pick) => {
      const { name, postgres } = currentPrimary(sim) ?? pick.node();
      postgres.diskFull = true;
      return {
        subject: name,
        heal: () => {
          postgres.diskFull = false;
        },
      };
    },
  },
  {
    name: "slow-disk",
    weight: 3,
    lastsMs: [2_000, 40_000],
    begin: (_sim, pick) => {
      const node = pick.node();
      node.postgres.timing.fsyncMs = pick.between(5, 60);
      return {
        subject: node.name,
        heal: () => {
          node.postgres.timing.fsyncMs = 0.8;
        },
      };
    },
  },
];
