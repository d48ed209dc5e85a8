import type { Simulation } from "../simulation.ts";
import type { Nemesis } from "./nemesis.ts";

type Cut = readonly [from: string, to: string];

export function cutLinks(sim: Simulation, cuts: readonly Cut[]): () => void {
  for (const [from, to] of cuts) sim.network.block(from, to);
  return () => {
    for (const [from, to] of cuts) sim.network.unblock(from, to);
  };
}

function everybody(sim: Simulation): string[] {
  return [...sim.nodes.map((node) => node.name), "ctl"];
}

export function isolate(sim: Simulation, name: string): Cut[] {
  return everybody(sim)
    .filter((other) => other !== name)
    .flatMap((other): Cut[] => [
      [name, other],
      [other, name],
    ]);
}

/** Faults of the network. Every cut is silent: neither FIN nor RST. */
export const networkFaults: readonly Nemesis[] = [
  {
    name: "partition",
    weight: 8,
    lastsMs: [1_500, 60_000],
    begin: (sim, pick) => {
      const { name } = pick.node();
      return { subject: name, heal: cutLinks(sim, isolate(sim, name)) };
    },
  },
  {
    name: "blip",
    weight: 6,
    lastsMs: [50, 900],
    begin: (sim, pick) => {
      const { name } = pick.node();
      return { subject: name, heal: cutLinks(sim, isolate(sim, name)) };
    },
  },
  {
    name: "one-way",
    weight: 4,
    lastsMs: [500, 40_000],
    begin: (sim, pick) => {
      const { name } = pick.node();
      const outward = pick.chance(0.5);
      const cuts = isolate(sim, name).filter(([from]) => (from === name) === outward);
      return { subject: `${name} ${outward ? "can't send" : "can't receive"}`, heal: cutLinks(sim, cuts) };
    },
  },
  {
    name: "bridge",
    weight: 5,
    lastsMs: [1_000, 60_000],
    begin: (sim, pick) => {
      const node = pick.node();
      const other = pick.chance(0.4) ? "ctl" : pick.other(node).name;
      const cuts: Cut[] = [
        [node.name, other],
        [other, node.name],
      ];
      return { subject: `${node.name} and ${other}`, heal: cutLinks(sim, cuts) };
    },
  },
  {
    name: "flapping",
    weight: 3,
    lastsMs: [4_000, 30_000],
    begin: (sim, pick) => {
      const { name } = pick.node();
      let over = false;
      let heal: (() => void) | null = null;
      const flap = (): void => {
        heal?.();
        heal = null;
        if (over) return;
        if (pick.chance(0.5)) heal = cutLinks(sim, isolate(sim, name));
        sim.world.after(pick.between(200, 2_500), null, flap);
      };
      flap();
      const end = (): void => {
        over = true;
        heal?.();
        heal = null;
      };
      return { subject: name, heal: end };
    },
  },
  {
    name: "lossy-link",
    weight: 3,
    lastsMs: [2_000, 40_000],
    begin: (sim, pick) => {
      const { name } = pick.node();
      const loss = pick.between(0.02, 0.3);
      const links = isolate(sim, name).map(([from, to]) => sim.network.link(from, to));
      for (const link of links) link.loss = loss;
      const heal = (): void => {
        for (const link of links) link.loss = 0;
      };
      return { subject: name, heal };
    },
  },
  {
    name: "slow-link",
    weight: 3,
    lastsMs: [2_000, 40_000],
    begin: (sim, pick) => {
      const { name } = pick.node();
      const addedMs = pick.between(5, 150);
      const links = isolate(sim, name).map(([from, to]) => sim.network.link(from, to));
      for (const link of links) link.latencyMs += addedMs;
      const heal = (): void => {
        for (const link of links) link.latencyMs -= addedMs;
      };
      return { subject: name, heal };
    },
  },
];
