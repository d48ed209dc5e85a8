import { parseArgs } from "node:util";
import { catchMutant } from "./mutants/catch-mutant.ts";
import { mutants } from "./mutants/mutants.ts";

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "40" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const wanted = mutants.filter((mutant) => values.only === undefined || mutant.name === values.only);
const outcomes = [];
for (const mutant of wanted) {
  const outcome = await catchMutant(mutant, Number(values.seeds));
  outcomes.push(outcome);
  if (values.json) continue;
  const verdict = outcome.caughtBy === null ? "NOT CAUGHT" : `caught by ${outcome.caughtBy}`;
  console.log(`${mutant.name.padEnd(32)} ${verdict} within ${outcome.seeds} seeds (${outcome.seconds} s)`);
  if (outcome.text !== null) console.log(`${" ".repeat(33)}seed ${outcome.seed}: ${outcome.text}`);
}
const missed = outcomes.filter((outcome) => outcome.caughtBy === null).map((outcome) => outcome.mutant);
if (values.json)
  console.log(JSON.stringify({ mutants: outcomes.length, caught: outcomes.length - missed.length, missed, outcomes }));
else console.log(missed.length === 0 ? `all ${outcomes.length} mutants caught` : `not caught: ${missed.join(", ")}`);
process.exit(missed.length === 0 ? 0 : 1);
