import { planRuns, readOptions, type SimOptions } from "./options.ts";
import { createPlaySeed, type PlayedSeed } from "./play-seed.ts";
import { runSeed, type SeedResult } from "./run-seed.ts";
import { createStory } from "./story.ts";
import { playInWorkers } from "./worker-pool.ts";

const options = readOptions();
if (options.seed === null) process.exitCode = await playMany(options);
else if (options.shrink) process.exitCode = await shrinkOne(options, options.seed);
else process.exitCode = await tellOne(options, options.seed);

/** One seed, event by event. */
async function tellOne(options: SimOptions, seed: number): Promise<number> {
  const runOf = await planRuns(options);
  const result = await runSeed({
    ...runOf(seed),
    watch: (sim) =>
      createStory(
        sim,
        (nowMs, who, what) => console.log(`${(nowMs / 1_000).toFixed(3).padStart(9)} s  ${who.padEnd(5)}  ${what}`),
        options.trace,
      ),
  });
  for (const violation of result.violations) {
    console.log(`VIOLATION ${violation.checker} at ${violation.atMs} ms: ${violation.text}`);
  }
  console.log(
    `seed ${seed}: ${result.violations.length} violations, ${result.faults} faults, ${result.promotions} promotions, ${result.acknowledged} rows acknowledged`,
  );
  return result.violations.length > 0 ? 1 : 0;
}

async function shrinkOne(options: SimOptions, seed: number): Promise<number> {
  const play = await createPlaySeed({ ...options, json: false });
  const { lines } = await play(seed);
  if (lines.length === 0) console.log(`seed ${seed}: no violations, nothing to shrink`);
  for (const line of lines) console.log(line);
  return lines.length === 0 ? 0 : 1;
}

async function playMany(options: SimOptions): Promise<number> {
  const beganAt = performance.now();
  const endsAt = options.hours === null ? Number.POSITIVE_INFINITY : beganAt + options.hours * 3_600_000;
  const results: SeedResult[] = [];
  let given = 0;
  const nextSeed = (): number | null => {
    if (given >= options.seeds || performance.now() >= endsAt) return null;
    given++;
    return options.from + given - 1;
  };
  const take = ({ result, lines }: PlayedSeed): void => {
    results.push(result);
    for (const line of lines) console.log(line);
  };
  await playInWorkers(Math.min(options.jobs, options.seeds), nextSeed, take);
  const summary = summarise(results, (performance.now() - beganAt) / 1_000);
  if (options.json) console.log(JSON.stringify({ ...summary, minutesPerSeed: options.minutes }));
  else {
    const { seeds, failingSeeds, violations, faults, promotions, acknowledged, seedsPerSecond } = summary;
    console.log(
      `${seeds} seeds of ${options.minutes} simulated minutes: ${failingSeeds.length} failing, ${violations} violations`,
    );
    console.log(
      `${faults} faults, ${promotions} promotions, ${acknowledged} rows acknowledged, ${seedsPerSecond} seeds/s`,
    );
  }
  return summary.failingSeeds.length > 0 ? 1 : 0;
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
    failingSeeds: results
      .filter(({ violations }) => violations.length > 0)
      .map(({ seed }) => seed)
      .sort((a, b) => a - b),
    seedsPerSecond: Math.round((results.length / seconds) * 10) / 10,
  };
}
