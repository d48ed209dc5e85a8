import type { Violation } from "../checkers/checker.ts";
import { type RunOptions, runSeed } from "../run-seed.ts";
import { loadMutant } from "./load-mutant.ts";
import type { Mutant } from "./mutant.ts";

export interface MutantOutcome {
  readonly mutant: string;
  /** The checker that bit; null when none did. */
  readonly caughtBy: string | null;
  readonly seed: number | null;
  readonly text: string | null;
  readonly seeds: number;
  readonly seconds: number;
}

/** Short runs: what a broken rule does, it does soon after a fault. */
const lengthMs = 130_000;
const settleMs = 40_000;

/** Runs seeds under the broken rule until one of its checkers speaks up where the sound rule is silent. */
export async function catchMutant(mutant: Mutant, maxSeeds: number): Promise<MutantOutcome> {
  const broken = await loadMutant(mutant);
  const beganMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - beganMs) / 100) / 10;
  const limit = mutant.seeds ?? maxSeeds;
  const bite = async (options: Partial<RunOptions>, seed: number): Promise<Violation | undefined> => {
    const { violations } = await runSeed({
      seed,
      lengthMs,
      settleMs,
      stopAt: mutant.caughtBy,
      ...mutant.run,
      ...options,
    });
    return violations.find((violation) => mutant.caughtBy.includes(violation.checker));
  };
  for (let seed = 1; seed <= limit; seed++) {
    const found = await bite(broken, seed);
    // What the sound rule does as well says nothing about the broken one.
    if (found === undefined || (await bite({}, seed)) !== undefined) continue;
    return { mutant: mutant.name, caughtBy: found.checker, seed, text: found.text, seeds: seed, seconds: seconds() };
  }
  return { mutant: mutant.name, caughtBy: null, seed: null, text: null, seeds: limit, seconds: seconds() };
}
