import { parseArgs } from "node:util";
import { catchMutants } from "./mutants.ts";
import { runTransaction } from "./run.ts";

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "20000" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});

const first = Number(values.seed ?? values.from);
const seeds = values.seed === undefined ? Number(values.seeds) : 1;
const beganAt = performance.now();
const failing: number[] = [];
const crashed = new Set<string>();
const outcomes: Record<string, number> = {};
let [violations, blocked, backups, crashes] = [0, 0, 0, 0];
for (let seed = first; seed < first + seeds; seed++) {
  const result = runTransaction({ seed });
  violations += result.violations.length;
  blocked += result.blocked ? 1 : 0;
  backups += result.backups > 0 ? 1 : 0;
  crashes += result.crashes.length;
  for (const label of result.crashes) crashed.add(label);
  const key = `${result.protocol} ${result.outcome.split(" ")[0]}`;
  outcomes[key] = (outcomes[key] ?? 0) + 1;
  const worst = result.violations[0];
  if (worst === undefined) continue;
  failing.push(seed);
  if (!values.json && failing.length <= 20) {
    console.log(
      `npm run sim:transactions -- --seed ${seed}   # ${result.protocol} ${worst.checker}: ${worst.text} (${result.outcome})`,
    );
  }
}
const seconds = (performance.now() - beganAt) / 1_000;
const mutants = values.seed === undefined ? catchMutants(2_000) : [];
const missed = mutants.filter(({ caughtBy }) => caughtBy === null).map(({ mutant }) => mutant);
const figures = {
  seeds,
  violations,
  failingSeeds: failing.slice(0, 20),
  crashes,
  boundariesCrashed: crashed.size,
  blockedUnderPartition: blocked,
  takenOver: backups,
  outcomes: Object.fromEntries(Object.entries(outcomes).sort()),
  seedsPerSecond: Math.round(seeds / seconds),
  mutants: mutants.length,
  mutantsCaught: mutants.length - missed.length,
  missed,
};
if (values.json) console.log(JSON.stringify(figures));
else {
  for (const { mutant, caughtBy, seed } of mutants) {
    console.log(`${mutant.padEnd(34)} ${caughtBy === null ? "NOT CAUGHT" : `caught by ${caughtBy} at seed ${seed}`}`);
  }
  console.log(
    `${seeds} transactions, ${crashes} crashes at ${crashed.size} different boundaries: ${violations} violations`,
  );
}
process.exitCode = failing.length > 0 || missed.length > 0 ? 1 : 0;
