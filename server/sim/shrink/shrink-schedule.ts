import type { Violation } from "../checkers/checker.ts";
import { drawSchedule, type ScheduledFault } from "../nemesis/schedule.ts";
import { defaultLengthMs, defaultSettleMs, faultsFromMs, type RunOptions, runSeed } from "../run-seed.ts";
import { ddmin } from "./ddmin.ts";

/** A failing run made small: what is still needed to break the same invariant. */
export interface ShrunkRun {
  readonly schedule: readonly ScheduledFault[];
  /** Seed of the world's own draws under which the small schedule fails. */
  readonly delays: number;
  readonly lengthMs: number;
  readonly violation: Violation;
  /** Faults before. */
  readonly drawn: number;
  /** Runs that it took. */
  readonly runs: number;
}

/**
 * Without one fault everything after it happens a little earlier or later, and a breach that hangs on milliseconds goes away though its
 * cause is still there. So each part is tried under a few seeds of the world's delays before it is called innocent.
 */
const delaySeeds = 3;
const halvings = 4;
/** Longest distance between two faults that is tried, milliseconds. */
const gapsMs = [8_000, Number.POSITIVE_INFINITY];

/** Reduces the seed's faults, then how long each lasts, then the run, as long as `checker` still speaks up; null when it never did. */
export async function shrinkSchedule(options: RunOptions, checker: string): Promise<ShrunkRun | null> {
  const { seed, lengthMs = defaultLengthMs, settleMs = defaultSettleMs } = options;
  const fromMs = faultsFromMs(options);
  const drawn = options.schedule ?? drawSchedule(seed, fromMs, lengthMs - settleMs, options.faults);
  let runs = 0;
  let best: Omit<ShrunkRun, "drawn" | "runs"> | null = null;

  const stillFails = async (schedule: readonly ScheduledFault[], length: number): Promise<boolean> => {
    const first = best?.delays ?? options.delays ?? seed;
    const others = Array.from({ length: delaySeeds }, (_, index) => seed + index).filter((other) => other !== first);
    for (const delays of [first, ...others.slice(0, delaySeeds - 1)]) {
      runs++;
      const run = { ...options, schedule, delays, lengthMs: length, stopAt: [checker] };
      const violation = (await runSeed(run)).violations.find((found) => found.checker === checker);
      if (violation === undefined) continue;
      best = { schedule, delays, lengthMs: length, violation };
      return true;
    }
    return false;
  };

  if (!(await stillFails(drawn, lengthMs))) return null;
  const few = await ddmin(drawn, (part) => stillFails(part, lengthMs));
  const short = await shortenFaults(few, (schedule) => stillFails(schedule, lengthMs));
  for (const gapMs of gapsMs) {
    const early = moveForward(short, fromMs, gapMs);
    const endMs = Math.max(fromMs, ...early.map(({ atMs, lastsMs }) => atMs + lastsMs));
    // Tenths of a minute: what stands on the command line.
    if (await stillFails(early, Math.ceil((endMs + settleMs) / 6_000) * 6_000)) break;
  }
  return best === null ? null : { ...(best as ShrunkRun), drawn: drawn.length, runs };
}

/** Each fault to its shortest, or as near to that as a few halvings come. */
async function shortenFaults(
  schedule: readonly ScheduledFault[],
  stillFails: (schedule: readonly ScheduledFault[]) => Promise<boolean>,
): Promise<readonly ScheduledFault[]> {
  let current = schedule;
  for (const { id, nemesis, lastsMs } of schedule) {
    let low = Math.ceil(nemesis.lastsMs[0]);
    let high = lastsMs;
    for (let halving = 0, tried = low; halving < halvings && tried < high; halving++) {
      const shorter = current.map((fault) => (fault.id === id ? { ...fault, lastsMs: tried } : fault));
      if (await stillFails(shorter)) {
        current = shorter;
        high = tried;
      } else low = tried;
      tried = Math.ceil((low + high) / 2);
    }
  }
  return current;
}

/** As early as a run allows, and no fault begins later than `gapMs` after the one before it: nobody reads minutes of calm. */
function moveForward(schedule: readonly ScheduledFault[], fromMs: number, gapMs: number): readonly ScheduledFault[] {
  let beforeMs = Number.NEGATIVE_INFINITY;
  let atMs = fromMs;
  return schedule.map((fault) => {
    atMs += Number.isFinite(beforeMs) ? Math.min(gapMs, fault.atMs - beforeMs) : 0;
    beforeMs = fault.atMs;
    return { ...fault, atMs };
  });
}
