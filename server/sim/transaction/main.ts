import { readCommand, readWhole } from "../../../scripts/command-line.ts";
import { catchMutants } from "./mutants.ts";
import { runTransaction } from "./run.ts";

const usage = `npm run sim:transactions -- [--seeds N] [--from N] [--seed N] [--json]
  --seeds N   seeds to play (default 20000), from --from N (default 1) on
  --seed N    this one alone
  --json      the last line is one object`;
const most = 2 ** 31 - 1;

const { first, seeds, alone, json } = readCommand(
  usage,
  {
    seeds: { type: "string", default: "20000" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
  (values) => ({
    first:
      values.seed === undefined ? readWhole("--from", values.from, 0, most) : readWhole("--seed", values.seed, 0, most),
    seeds: values.seed === undefined ? readWhole("--seeds", values.seeds, 1, most) : 1,
    alone: values.seed !== undefined,
    json: values.json,
  }),
);
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
  if (!json && failing.length <= 20) {
    console.log(
      `npm run sim:transactions -- --seed ${seed}   # ${result.protocol} ${worst.checker}: ${worst.text} (${result.outcome})`,
    );
  }
}
const seconds = (performance.now() - beganAt) / 1_000;
const mutants = alone ? [] : catchMutants(2_000);
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
if (json) console.log(JSON.stringify(figures));
else {
  for (const { mutant, caughtBy, seed } of mutants) {
    console.log(`${mutant.padEnd(34)} ${caughtBy === null ? "NOT CAUGHT" : `caught by ${caughtBy} at seed ${seed}`}`);
  }
  console.log(
    `${seeds} transactions, ${crashes} crashes at ${crashed.size} different boundaries: ${violations} violations`,
  );
}
process.exitCode = failing.length > 0 || missed.length > 0 ? 1 : 0;
