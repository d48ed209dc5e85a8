import { runSeed } from "../run-seed.ts";
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

const lengthMs = 300_000;

/** Runs seeds under the broken rule until a checker speaks up. */
export async function catchMutant(mutant: Mutant, maxSeeds: number): Promise<MutantOutcome> {
  const broken = await loadMutant(mutant);
  const beganMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - beganMs) / 100) / 10;
  const limit = mutant.seeds ?? maxSeeds;
  for (let seed = 1; seed <= limit; seed++) {
    const { violations } = await runSeed({
      seed,
      lengthMs,
      stopAt: mutant.caughtBy,
      ...broken,
      ...(mutant.faults === undefined ? {} : { faults: mutant.faults }),
      ...(mutant.policy === undefined ? {} : { policy: mutant.policy }),
      ...(mutant.nodes === undefined ? {} : { nodes: mutant.nodes }),
      sendsBeforeCommit: mutant.sendsBeforeCommit ?? false,
    });
    const first = violations.find((violation) => mutant.caughtBy.includes(violation.checker));
    if (first !== undefined) {
      return { mutant: mutant.name, caughtBy: first.checker, seed, text: first.text, seeds: seed, seconds: seconds() };
    }
  }
  return { mutant: mutant.name, caughtBy: null, seed: null, text: null, seeds: limit, seconds: seconds() };
}
