import { parseArgs } from "node:util";
import { runSeed } from "./run-seed.ts";
import { createStory } from "./story.ts";

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "200" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
    hours: { type: "string" },
    json: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});

const lengthMs = Number(values.minutes) * 60_000;

if (values.seed === undefined) await runMany();
else await replay(Number(values.seed));

async function replay(seed: number): Promise<void> {
  const result = await runSeed({
    seed,
    lengthMs,
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

async function runMany(): Promise<void> {
  const first = Number(values.from);
  const wanted = values.hours === undefined ? Number(values.seeds) : Number.POSITIVE_INFINITY;
  const beganAt = performance.now();
  const endsAt = values.hours === undefined ? Number.POSITIVE_INFINITY : beganAt + Number(values.hours) * 3_600_000;
  const failing: number[] = [];
  const totals = { violations: 0, promotions: 0, acknowledged: 0, faults: 0 };
  let seeds = 0;
  while (seeds < wanted && performance.now() < endsAt) {
    const result = await runSeed({ seed: first + seeds, lengthMs });
    seeds++;
    totals.promotions += result.promotions;
    totals.acknowledged += result.acknowledged;
    totals.faults += result.faults;
    totals.violations += result.violations.length;
    const worst = result.violations[0];
    if (worst === undefined) continue;
    failing.push(result.seed);
    if (!values.json) {
      console.log(`npm run sim -- --seed ${result.seed}   # ${worst.checker} at ${worst.atMs} ms: ${worst.text}`);
    }
  }
  const seconds = (performance.now() - beganAt) / 1_000;
  const seedsPerSecond = Math.round((seeds / seconds) * 10) / 10;
  if (values.json)
    console.log(
      JSON.stringify({ seeds, ...totals, failingSeeds: failing, seedsPerSecond, minutesPerSeed: lengthMs / 60_000 }),
    );
  else {
    console.log(
      `${seeds} seeds of ${lengthMs / 60_000} simulated minutes: ${failing.length} failing, ${totals.violations} violations`,
    );
    console.log(
      `${totals.faults} faults, ${totals.promotions} promotions, ${totals.acknowledged} rows acknowledged, ${seedsPerSecond} seeds/s`,
    );
  }
  process.exitCode = failing.length > 0 ? 1 : 0;
}
