import { planRuns, replayOf, type SimOptions } from "./options.ts";
import { type RunOptions, runSeed, type SeedResult } from "./run-seed.ts";
import { formatReplay } from "./shrink/replay-line.ts";
import { shrinkSchedule } from "./shrink/shrink-schedule.ts";

export interface PlayedSeed {
  readonly result: SeedResult;
  /** What a person is told of a failure: the line that plays it again, and what it was reduced to. */
  readonly lines: readonly string[];
}

export type PlaySeed = (seed: number) => Promise<PlayedSeed>;

/** Plays seeds in this process, under the options of its command line. */
export async function createPlaySeed(options: SimOptions): Promise<PlaySeed> {
  const runOf = await planRuns(options);
  return async (seed) => {
    const result = await runSeed(runOf(seed));
    const [worst] = result.violations;
    if (worst === undefined || (options.json && !options.shrink)) return { result, lines: [] };
    const line = `${formatReplay(replayOf(options, seed))}   # ${worst.checker} at ${worst.atMs} ms: ${worst.text}`;
    const shrunk = options.shrink ? await tellShrunk(options, runOf(seed), worst.checker) : [];
    return { result, lines: [line, ...shrunk] };
  };
}

/** The same breach by as few and as short faults as were found. */
async function tellShrunk(options: SimOptions, run: RunOptions, checker: string): Promise<readonly string[]> {
  const beganAt = performance.now();
  const shrunk = await shrinkSchedule(run, checker);
  if (shrunk === null) return ["  could not be shrunk: it did not fail again"];
  const { schedule, violation, lengthMs, delays } = shrunk;
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10;
  const line = formatReplay({ ...replayOf(options, run.seed), delays, schedule, minutes: lengthMs / 60_000 });
  return [
    `  ${shrunk.drawn} faults → ${schedule.length} (${shrunk.runs} runs, ${seconds} s):`,
    `  ${line}   # ${checker} at ${violation.atMs} ms: ${violation.text}`,
  ];
}
