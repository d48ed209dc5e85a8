import { createRandom, type Random } from "../random.ts";
import type { Simulation } from "../simulation.ts";
import { asyncFaults } from "./async.ts";
import { controlFaults } from "./control.ts";
import { messageFaults } from "./messages.ts";
import { miscounts } from "./miscounts.ts";
import { createPick, type Nemesis } from "./nemesis.ts";
import { networkFaults } from "./network.ts";
import { processFaults } from "./processes.ts";
import { worstMoments } from "./worst-moments.ts";

export const nemeses: readonly Nemesis[] = [
  ...processFaults,
  ...networkFaults,
  ...messageFaults,
  ...controlFaults,
  ...worstMoments,
  ...miscounts,
  ...asyncFaults,
];

export interface ScheduledFault {
  /** Its place in the schedule as it was drawn; what the fault draws for itself hangs on it, whatever else is left out. */
  readonly id: number;
  /** Whole milliseconds, so that a written schedule is the same one. */
  readonly atMs: number;
  readonly lastsMs: number;
  readonly nemesis: Nemesis;
}

/** Of a run's seed: 0 draws its schedule, each fault what belongs to its id. */
function streamOf(seed: number, stream: number): Random {
  return createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b));
}

/** Draws the seed's schedule: storms of faults that overlap or follow closely, with calm between them. Times in milliseconds. */
export function drawSchedule(seed: number, fromMs: number, toMs: number, only?: readonly string[]): ScheduledFault[] {
  const pool = only === undefined ? nemeses : nemeses.filter((nemesis) => only.includes(nemesis.name));
  const random = streamOf(seed, 0);
  const drawn: ScheduledFault[] = [];
  let atMs = fromMs + random.between(0, 5_000);
  while (atMs < toMs) {
    const inStorm = 1 + random.below(random.chance(0.3) ? 5 : 2);
    for (let count = 0; count < inStorm && atMs < toMs; count++) {
      const nemesis = drawNemesis(random, pool);
      const [low, high] = nemesis.lastsMs;
      // Most faults are short: long and short ones meet the same timeouts, but short ones leave time for more.
      const lastsMs = low + (high - low) * random.next() ** 2;
      drawn.push({
        id: drawn.length + 1,
        atMs: Math.round(atMs),
        lastsMs: Math.ceil(Math.min(lastsMs, toMs - atMs)),
        nemesis,
      });
      atMs += random.chance(0.5) ? random.between(0, 2_500) : random.between(500, 8_000);
    }
    atMs += random.between(10_000, 90_000);
  }
  return drawn;
}

function drawNemesis(random: Random, pool: readonly Nemesis[]): Nemesis {
  const weigh = pool === nemeses ? (nemesis: Nemesis) => nemesis.weight : () => 1;
  const total = pool.reduce((sum, nemesis) => sum + weigh(nemesis), 0);
  let left = random.next() * total;
  for (const nemesis of pool) {
    left -= weigh(nemesis);
    if (left < 0) return nemesis;
  }
  return pool[0] as Nemesis;
}

/** Puts a schedule into the world. Each fault draws from a stream of its own, so that it does the same when others are left out. */
export function unleash(sim: Simulation, seed: number, schedule: readonly ScheduledFault[]): void {
  const { world } = sim;
  for (const { id, atMs, lastsMs, nemesis } of schedule) {
    const pick = createPick(sim, streamOf(seed, id));
    world.after(atMs - world.nowMs, null, () => {
      const { subject, heal } = nemesis.begin(sim, pick);
      world.emit({ kind: "fault-began", fault: nemesis.name, subject, id });
      world.after(lastsMs, null, () => {
        heal();
        world.emit({ kind: "fault-ended", fault: nemesis.name, subject, id });
      });
    });
  }
}
