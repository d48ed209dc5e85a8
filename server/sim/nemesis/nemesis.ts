import type { Random } from "../random.ts";
import type { SimNode, Simulation } from "../simulation.ts";

/** A fault: what it does, how often it is drawn, how long it lasts. `begin` answers with what undoes it. */
export interface Nemesis {
  readonly name: string;
  readonly weight: number;
  /** Shortest and longest duration, milliseconds. */
  readonly lastsMs: readonly [number, number];
  begin(sim: Simulation, pick: Pick): { readonly subject: string; readonly heal: () => void };
}

/** Draws of one fault; the primary is drawn more often than its share. */
export interface Pick {
  node(): SimNode;
  other(than: SimNode): SimNode;
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  one<T>(items: readonly T[]): T;
}

export function currentPrimary(sim: Simulation): SimNode | undefined {
  const recorded = sim.control.tables.clusters.get(sim.cluster)?.primary;
  return sim.nodes.find((node) => node.name === recorded);
}

export function createPick(sim: Simulation, random: Random = sim.world.random): Pick {
  return {
    node: () => {
      const primary = currentPrimary(sim);
      return primary !== undefined && random.chance(0.55) ? primary : random.pick(sim.nodes);
    },
    other: (than) => random.pick(sim.nodes.filter((node) => node !== than)),
    between: (low, high) => random.between(low, high),
    chance: (probability) => random.chance(probability),
    one: (items) => random.pick(items),
  };
}
