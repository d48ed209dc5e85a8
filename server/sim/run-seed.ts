import { asyncWarmUpMs, prepareAsync } from "./async-run.ts";
import { attachCheckers } from "./checkers/all.ts";
import type { Violation } from "./checkers/checker.ts";
import { drawSchedule, type ScheduledFault, unleash } from "./nemesis/schedule.ts";
import { changeDurability } from "./nemesis/worst-moments.ts";
import { createSimulation, type Simulation, type SimulationOptions } from "./simulation.ts";

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly acknowledged: number;
  readonly promotions: number;
  readonly faults: number;
  readonly steps: number;
}

export interface RunOptions extends SimulationOptions {
  /** Simulated time of the whole run, milliseconds. */
  readonly lengthMs?: number;
  /** Stop at the first breach that one of these checkers finds. */
  readonly stopAt?: readonly string[];
  /** Synchronous standbys promised, when not 1. */
  readonly k?: number;
  /** Time after the last heal, milliseconds. */
  readonly settleMs?: number;
  /** Names of the faults to draw from; all by their weight when absent. */
  readonly faults?: readonly string[];
  /** Instead of the schedule that the seed would draw. */
  readonly schedule?: readonly ScheduledFault[];
  /** Seed of what the world itself draws (how long messages, disks and starts take), when not the run's own. */
  readonly delays?: number;
  readonly watch?: (sim: Simulation) => void;
}

export const defaultLengthMs = 600_000;
/** The first fault of a synchronous run falls after this. */
const warmUpMs = 12_000;
/** After the last heal: long enough for a clone that failed once, a session to be given up, and a set to be restored. */
export const defaultSettleMs = 90_000;

/** The first fault falls after this, milliseconds. */
export function faultsFromMs(options: RunOptions): number {
  return options.async === undefined ? warmUpMs : asyncWarmUpMs;
}

/** One seeded run: a cluster comes up, faults fall on it, everything is healed, and it must have come right again. */
export async function runSeed(options: RunOptions): Promise<SeedResult> {
  const { seed, lengthMs = defaultLengthMs, settleMs = defaultSettleMs, stopAt = [] } = options;
  const shape = drawShape(seed);
  const sim = createSimulation({
    ...options,
    seed: options.delays ?? seed,
    nodes: options.nodes ?? shape.nodes,
    policy: { ...shape.policy, ...options.policy },
  });
  const { world } = sim;
  const violations: Violation[] = [];
  const checkers = attachCheckers(sim, violations, options.async !== undefined);
  let promotions = 0;
  let faults = 0;
  world.listen((event) => {
    if (event.kind === "postgres-promoted") promotions++;
    else if (event.kind === "fault-began") faults++;
  });
  options.watch?.(sim);
  if (options.async !== undefined) prepareAsync(sim, options.async);
  unleash(
    sim,
    seed,
    options.schedule ?? drawSchedule(seed, faultsFromMs(options), lengthMs - settleMs, options.faults),
  );
  const k = options.k ?? shape.k;
  if (k !== 1) world.after(warmUpMs - 2_000, null, () => changeDurability(sim, k));
  const stop = (): boolean => violations.some((violation) => stopAt.includes(violation.checker));
  await world.run(lengthMs, stop);
  if (!stop()) for (const checker of checkers) checker.finish?.(world.nowMs);
  const acknowledged = sim.nodes.reduce((sum, node) => sum + node.writer.acknowledged, 0);
  return { seed, violations, acknowledged, promotions, faults, steps: world.steps };
}

/** What the seed's last digits decide: most runs have three members, one in five has five. */
function drawShape(seed: number): Required<Pick<RunOptions, "nodes" | "policy" | "k">> {
  return {
    k: seed % 10 === 9 ? 2 : 1,
    nodes: seed % 5 === 4 ? 5 : 3,
    policy: {
      failoverBudget: 1_000,
      onPostgresExit: seed % 3 === 0 ? "restart" : "failover",
    },
  };
}
