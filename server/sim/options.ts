import { availableParallelism } from "node:os";
import { readCommand, readNames, readWhole } from "../../scripts/command-line.ts";
import { loadMutant } from "./mutants/load-mutant.ts";
import { mutants } from "./mutants/mutants.ts";
import { nemeses, type ScheduledFault } from "./nemesis/schedule.ts";
import type { RunOptions } from "./run-seed.ts";
import type { Replay } from "./shrink/replay-line.ts";
import { parseSchedule } from "./shrink/schedule-text.ts";

const usage = `npm run sim -- [--seeds N] [--from N] [--json]
  --seeds N        seeds to play (default 200), from --from N (default 1) on
  --hours H        instead of a number of seeds: as many as that time allows
  --jobs N         processes to play them in (default: one for each processor)
  --minutes M      simulated length of a run (default 10)
  --only a,b       faults to draw from: ${nemeses.map(({ name }) => name).join(", ")}
  --async          every seed is an asynchronous cluster
  --shrink         reduce what fails to the few faults that it takes
  --seed N         this one, told as a story; with --trace every message, with --shrink reduced
  --schedule "…"   faults to play instead of the seed's own, as --shrink prints them
  --delays N       seed of what the world itself draws
  --mutant NAME    play under a broken rule: ${mutants.map(({ name }) => name).join(", ")}
  --json           the last line is one object`;

const most = 2 ** 31 - 1;

export interface SimOptions {
  /** The only seed of this call; null when there are many. */
  readonly seed: number | null;
  readonly from: number;
  /** Infinity where time is the limit. */
  readonly seeds: number;
  readonly hours: number | null;
  readonly jobs: number;
  readonly shrink: boolean;
  readonly json: boolean;
  readonly trace: boolean;
  readonly minutes: number;
  readonly mutant: string | null;
  readonly async: boolean;
  readonly only: readonly string[] | null;
  readonly schedule: readonly ScheduledFault[] | null;
  readonly delays: number | null;
}

/** Of this process' command line; what makes no sense ends it with a reason. */
export function readOptions(): SimOptions {
  return readCommand(
    usage,
    {
      seeds: { type: "string", default: "200" },
      seed: { type: "string" },
      from: { type: "string", default: "1" },
      jobs: { type: "string", default: String(availableParallelism()) },
      minutes: { type: "string", default: "10" },
      hours: { type: "string" },
      only: { type: "string" },
      schedule: { type: "string" },
      delays: { type: "string" },
      mutant: { type: "string" },
      shrink: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      async: { type: "boolean", default: false },
    },
    (values): SimOptions => {
      const names = nemeses.map(({ name }) => name);
      const [mutant] =
        values.mutant === undefined
          ? []
          : readNames(
              "mutant",
              values.mutant,
              mutants.map(({ name }) => name),
            );
      return {
        seed: values.seed === undefined ? null : readWhole("--seed", values.seed, 0, most),
        from: readWhole("--from", values.from, 0, most),
        seeds: values.hours === undefined ? readWhole("--seeds", values.seeds, 1, most) : Number.POSITIVE_INFINITY,
        hours: values.hours === undefined ? null : readAmount("--hours", values.hours),
        jobs: readWhole("--jobs", values.jobs, 1, 256),
        minutes: readAmount("--minutes", values.minutes),
        only: values.only === undefined ? null : readNames("fault", values.only, names),
        schedule: values.schedule === undefined ? null : parseSchedule(values.schedule),
        delays: values.delays === undefined ? null : readWhole("--delays", values.delays, 0, most),
        mutant: mutant ?? null,
        shrink: values.shrink,
        json: values.json,
        trace: values.trace,
        async: values.async,
      };
    },
  );
}

function readAmount(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${name} ${text}: give a number greater than 0.`);
}

/** What a seed is played under; the mutant's code is built once. */
export async function planRuns(options: SimOptions): Promise<(seed: number) => RunOptions> {
  const mutant = mutants.find(({ name }) => name === options.mutant);
  const { faults: _, ...mutantRun } = mutant?.run ?? {};
  const common: Omit<RunOptions, "seed"> = {
    ...(mutant === undefined ? {} : { ...mutantRun, ...(await loadMutant(mutant)) }),
    lengthMs: Math.round(options.minutes * 60_000),
    ...(options.only === null ? {} : { faults: options.only }),
    ...(options.schedule === null ? {} : { schedule: options.schedule }),
    ...(options.delays === null ? {} : { delays: options.delays }),
  };
  if (!options.async) return (seed) => ({ ...common, seed });
  // An asynchronous seed's digits say what fences a primary whose agent is gone.
  return (seed) => ({
    ...common,
    seed,
    async: { maxLagBytes: 16_384, watchdog: seed % 4 !== 3, hook: seed % 3 === 1 },
  });
}

/** What the line that plays a seed again has to say. */
export function replayOf(options: SimOptions, seed: number): Replay {
  const { minutes, mutant, only, async, delays, schedule } = options;
  return { seed, minutes, mutant, only, async, delays, schedule };
}
