import { readCommand, readNames, readWhole } from "../../scripts/command-line.ts";
import { catchMutant } from "./mutants/catch-mutant.ts";
import { mutants } from "./mutants/mutants.ts";

const usage = `npm run sim:mutants -- [--only a,b] [--seeds N] [--json]
  --only a,b   these broken rules (default: all ${mutants.length}): ${mutants.map(({ name }) => name).join(", ")}
  --seeds N    within how many seeds each must be caught, where it has no limit of its own (default 40)
  --json       the last line is one object`;

const { wanted, seeds, json } = readCommand(
  usage,
  {
    seeds: { type: "string", default: "40" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
  (values) => {
    const names = mutants.map(({ name }) => name);
    const only = values.only === undefined ? names : readNames("mutant", values.only, names);
    return {
      wanted: mutants.filter(({ name }) => only.includes(name)),
      seeds: readWhole("--seeds", values.seeds, 1, 1_000_000),
      json: values.json,
    };
  },
);
const outcomes = [];
for (const mutant of wanted) {
  const outcome = await catchMutant(mutant, seeds);
  outcomes.push(outcome);
  if (json) continue;
  const verdict = outcome.caughtBy === null ? "NOT CAUGHT" : `caught by ${outcome.caughtBy}`;
  console.log(`${mutant.name.padEnd(32)} ${verdict} within ${outcome.seeds} seeds (${outcome.seconds} s)`);
  if (outcome.text !== null) console.log(`${" ".repeat(33)}seed ${outcome.seed}: ${outcome.text}`);
}
const missed = outcomes.filter((outcome) => outcome.caughtBy === null).map((outcome) => outcome.mutant);
if (json)
  console.log(JSON.stringify({ mutants: outcomes.length, caught: outcomes.length - missed.length, missed, outcomes }));
else console.log(missed.length === 0 ? `all ${outcomes.length} mutants caught` : `not caught: ${missed.join(", ")}`);
process.exit(missed.length === 0 ? 0 : 1);
