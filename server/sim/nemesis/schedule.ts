import type { Simulation } from "../simulation.ts";
import { controlFaults } from "./control.ts";
import { createPick, type Nemesis, type Pick } from "./nemesis.ts";
import { networkFaults } from "./network.ts";
import { processFaults } from "./processes.ts";
import { worstMoments } from "./worst-moments.ts";

export const nemeses: readonly Nemesis[] = [...processFaults, ...networkFaults, ...controlFaults, ...worstMoments];

export interface ScheduledFault {
  readonly atMs: number;
  readonly lastsMs: number;
  readonly nemesis: Nemesis;
}

/** Draws a schedule: storms of faults that overlap or follow closely, with calm between them. */
export function drawSchedule(
  sim: Simulation,
  fromMs: number,
  toMs: number,
  only?: readonly string[],
): ScheduledFault[] {
  const pool = only === undefined ? nemeses : nemeses.filter((nemesis) => only.includes(nemesis.name));
  const { random } = sim.world;
  const drawn: ScheduledFault[] = [];
  let atMs = fromMs + random.between(0, 5_000);
  while (atMs < toMs) {
    const inStorm = 1 + random.below(random.chance(0.3) ? 5 : 2);
    for (let count = 0; count < inStorm && atMs < toMs; count++) {
      const nemesis = drawNemesis(sim, pool);
      const [low, high] = nemesis.lastsMs;
      // Most faults are short: long and short ones meet the same timeouts, but short ones leave time for more.
      const lastsMs = low + (high - low) * random.next() ** 2;
      drawn.push({ atMs, lastsMs: Math.min(lastsMs, toMs - atMs), nemesis });
      atMs += random.chance(0.5) ? random.between(0, 2_500) : random.between(500, 8_000);
    }
    atMs += random.between(10_000, 90_000);
  }
  return drawn;
}

function drawNemesis(sim: Simulation, pool: readonly Nemesis[]): Nemesis {
  const weigh = pool === nemeses ? (nemesis: Nemesis) => nemesis.weight : () => 1;
  const total = pool.reduce((sum, nemesis) => sum + weigh(nemesis), 0);
  let left = sim.world.random.next() * total;
  for (const nemesis of pool) {
    left -= weigh(nemesis);
    if (left < 0) return nemesis;
  }
  return pool[0] as Nemesis;
}

/** Puts a schedule into the world. */
export function unleash(sim: Simulation, schedule: readonly ScheduledFault[], pick: Pick = createPick(sim)): void {
  const { world } = sim;
  schedule.forEach(({ atMs, lastsMs, nemesis }, id) => {
    world.after(atMs - world.nowMs, null, () => {
      const { subject, heal } = nemesis.begin(sim, pick);
      world.emit({ kind: "fault-began", fault: nemesis.name, subject, id });
      world.after(lastsMs, null, () => {
        heal();
        world.emit({ kind: "fault-ended", fault: nemesis.name, subject, id });
      });
    });
  });
}
