/**
 * `npm run bench:localization-live -- --json`: breaks the demo's web shop in each way, several times, and scores what the incident's page names.
 * Figures, never assertions.
 */
import { runMain, withDemo } from "../demo-run.ts";
import { readOptions } from "./options.ts";
import { runTrial, sleep, type Trial } from "./trial.ts";

/** What normal operation looks like has to be seen first, and again between two faults. */
const learnMs = 45_000;
const restMs = 30_000;

await runMain(async () => {
  const options = readOptions();
  const trials = await withDemo({ port: options.port, folder: options.folder, shop: true }, async (demo) => {
    await sleep(learnMs);
    const done: Trial[] = [];
    for (let run = 0; run < options.runs; run += 1) {
      for (const fault of options.faults) {
        const trial = await runTrial(demo, fault);
        done.push(trial);
        console.log(`  ${done.length}/${options.runs * options.faults.length} ${tell(trial)}`);
        if (!trial.right) for (const suspect of trial.suspects) console.log(`      ${suspect}`);
        await sleep(restMs);
      }
    }
    return done;
  });
  const figures = summarize(trials);
  console.log(`Right cause first: ${figures.top1} · first answer, median: ${figures.firstAnswerMedianMs} ms`);
  if (options.json) console.log(JSON.stringify(figures));
  return 0;
});

function tell({ fault, right, named, detectMs, firstAnswerMs, incidents }: Trial): string {
  const said = named === null ? "nothing named" : `${named.service} ${named.cause} (${named.confidence})`;
  return `${fault}: ${right ? "right" : "WRONG"}, ${said}; opened after ${detectMs} ms, answered after ${firstAnswerMs} ms, ${incidents} incident(s)`;
}

function summarize(trials: readonly Trial[]) {
  const faults: Record<string, { runs: number; right: number; rightService: number; firstAnswerMs: number | null }> =
    {};
  for (const fault of new Set(trials.map((trial) => trial.fault))) {
    const own = trials.filter((trial) => trial.fault === fault);
    faults[fault] = {
      runs: own.length,
      right: count(own, ({ right }) => right),
      rightService: count(own, ({ rightService }) => rightService),
      firstAnswerMs: median(own.map(({ firstAnswerMs }) => firstAnswerMs)),
    };
  }
  const answers = trials.map(({ firstAnswerMs }) => firstAnswerMs);
  return {
    top1: share(trials, ({ right }) => right),
    top1Service: share(trials, ({ rightService }) => rightService),
    firstAnswerMedianMs: median(answers),
    firstAnswerMaxMs: Math.max(...answers.filter((value) => value !== null)),
    detectMedianMs: median(trials.map(({ detectMs }) => detectMs)),
    incidentsPerFault: round(trials.reduce((sum, { incidents }) => sum + incidents, 0) / trials.length),
    faults,
    baseline: {
      errorSpansTop1Service: share(trials, ({ baseline }) => baseline.errorSpans),
      zScoreTop1Service: share(trials, ({ baseline }) => baseline.zScore),
    },
  };
}

function count(trials: readonly Trial[], is: (trial: Trial) => boolean): number {
  return trials.filter(is).length;
}

function share(trials: readonly Trial[], is: (trial: Trial) => boolean): number {
  return round(count(trials, is) / trials.length);
}

function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
