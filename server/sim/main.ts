import { parseArgs } from "node:util";
import type { Violation } from "./checkers/checker.ts";
import { loadMutant } from "./mutants/load-mutant.ts";
import { mutants } from "./mutants/mutants.ts";
import { type RunOptions, runSeed, type SeedResult } from "./run-seed.ts";
import { formatReplay } from "./shrink/replay-line.ts";
import { parseSchedule } from "./shrink/schedule-text.ts";
import { shrinkSchedule } from "./shrink/shrink-schedule.ts";
import { createStory } from "./story.ts";

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "200" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
    hours: { type: "string" },
    /** Names of the faults to draw from, with commas. */
    only: { type: "string" },
    /** Faults to play instead of the seed's own. */
    schedule: { type: "string" },
    /** Seed of the world's own draws. */
    delays: { type: "string" },
    /** A broken rule to play under, of `mutants/mutants.ts`. */
    mutant: { type: "string" },
    /** Reduce what fails to the few faults that it takes. */
    shrink: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    /** Every seed is an asynchronous cluster. */
    async: { type: "boolean", default: false },
  },
});

const minutes = Number(values.minutes);
const delays = values.delays === undefined ? undefined : Number(values.delays);
const options = await readOptions();
if (values.async && values.shrink) throw new Error("asynchronous runs can't be shrunk yet; leave out --shrink");

if (values.seed === undefined) await runMany();
else if (values.shrink) await shrinkOne(Number(values.seed));
else await replay(Number(values.seed));

/** What every seed of this call is played under. */
async function readOptions(): Promise<Omit<RunOptions, "seed">> {
  const mutant = mutants.find(({ name }) => name === values.mutant);
  if (values.mutant !== undefined && mutant === undefined) throw new Error(`there is no mutant ${values.mutant}`);
  const { faults: _, ...mutantRun } = mutant?.run ?? {};
  return {
    ...(mutant === undefined ? {} : { ...mutantRun, ...(await loadMutant(mutant)) }),
    lengthMs: Math.round(minutes * 60_000),
    ...(values.only === undefined ? {} : { faults: values.only.split(",") }),
    ...(values.schedule === undefined ? {} : { schedule: parseSchedule(values.schedule) }),
    ...(delays === undefined ? {} : { delays }),
  };
}

/** An asynchronous seed's digits say what fences a primary whose agent is gone. */
function optionsOf(seed: number): RunOptions {
  if (!values.async) return { ...options, seed };
  return { ...options, seed, async: { maxLagBytes: 16_384, watchdog: seed % 4 !== 3, hook: seed % 3 === 1 } };
}

async function replay(seed: number): Promise<void> {
  const result = await runSeed({
    ...optionsOf(seed),
    watch: (sim) =>
      createStory(
        sim,
        (nowMs, who, what) => console.log(`${(nowMs / 1_000).toFixed(3).padStart(9)} s  ${who.padEnd(5)}  ${what}`),
        values.trace,
      ),
  });
  for (const violation of result.violations) {
    console.log(`VIOLATION ${violation.checker} at ${violation.atMs} ms: ${violation.text}`);
  }
  console.log(
    `seed ${seed}: ${result.violations.length} violations, ${result.faults} faults, ${result.promotions} promotions, ${result.acknowledged} rows acknowledged`,
  );
  process.exitCode = result.violations.length > 0 ? 1 : 0;
}

async function shrinkOne(seed: number): Promise<void> {
  const { violations } = await runSeed({ ...options, seed });
  const [worst] = violations;
  if (worst === undefined) return console.log(`seed ${seed}: no violations, nothing to shrink`);
  tellFailure(seed, worst);
  await tellShrunk(seed, worst);
  process.exitCode = 1;
}

function tellFailure(seed: number, { checker, atMs, text }: Violation): void {
  const { mutant, only, async } = values;
  const line = formatReplay({ seed, minutes, mutant, only, async, delays, schedule: options.schedule });
  console.log(`${line}   # ${checker} at ${atMs} ms: ${text}`);
}

/** The same breach by as few and as short faults as were found. */
async function tellShrunk(seed: number, { checker }: Violation): Promise<void> {
  const beganAt = performance.now();
  const shrunk = await shrinkSchedule({ ...options, seed }, checker);
  if (shrunk === null) return console.log(`  could not be shrunk: it did not fail again`);
  const { schedule, violation, lengthMs } = shrunk;
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10;
  console.log(`  ${shrunk.drawn} faults → ${schedule.length} (${shrunk.runs} runs, ${seconds} s):`);
  const line = formatReplay({ ...shrunk, seed, minutes: lengthMs / 60_000, mutant: values.mutant });
  console.log(`  ${line}   # ${checker} at ${violation.atMs} ms: ${violation.text}`);
}

async function runMany(): Promise<void> {
  const first = Number(values.from);
  const wanted = values.hours === undefined ? Number(values.seeds) : Number.POSITIVE_INFINITY;
  const beganAt = performance.now();
  const endsAt = values.hours === undefined ? Number.POSITIVE_INFINITY : beganAt + Number(values.hours) * 3_600_000;
  const results: SeedResult[] = [];
  while (results.length < wanted && performance.now() < endsAt) {
    const result = await runSeed(optionsOf(first + results.length));
    results.push(result);
    const [worst] = result.violations;
    if (worst === undefined || (values.json && !values.shrink)) continue;
    tellFailure(result.seed, worst);
    if (values.shrink) await tellShrunk(result.seed, worst);
  }
  const summary = summarise(results, (performance.now() - beganAt) / 1_000);
  if (values.json) console.log(JSON.stringify(summary));
  else {
    const { seeds, failingSeeds, violations, faults, promotions, acknowledged, seedsPerSecond } = summary;
    console.log(
      `${seeds} seeds of ${minutes} simulated minutes: ${failingSeeds.length} failing, ${violations} violations`,
    );
    console.log(
      `${faults} faults, ${promotions} promotions, ${acknowledged} rows acknowledged, ${seedsPerSecond} seeds/s`,
    );
  }
  process.exitCode = summary.failingSeeds.length > 0 ? 1 : 0;
}

function summarise(results: readonly SeedResult[], seconds: number) {
  const sum = (figure: (result: SeedResult) => number): number =>
    results.reduce((total, result) => total + figure(result), 0);
  return {
    seeds: results.length,
    violations: sum(({ violations }) => violations.length),
    promotions: sum(({ promotions }) => promotions),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    faults: sum(({ faults }) => faults),
    failingSeeds: results.filter(({ violations }) => violations.length > 0).map(({ seed }) => seed),
    seedsPerSecond: Math.round((results.length / seconds) * 10) / 10,
    minutesPerSeed: minutes,
  };
}
