import { readCommand } from "../../scripts/command-line.ts";
import { type Cell, nameCell, playCell, type Victim } from "./crash-matrix/cell.ts";
import { planMatrix, playMatrix, summariseMatrix } from "./crash-matrix/matrix.ts";
import type { Boundary } from "./crash-matrix/passages.ts";
import { createStory } from "./story.ts";

const usage = `npm run sim:crash-matrix -- [--only a,b] [--cell NAME] [--json]
  --only a,b    these kinds of action (default: all)
  --cell NAME   one cell, told as a story
  --json        the last line is one object`;

const values = readCommand(
  usage,
  {
    only: { type: "string" },
    cell: { type: "string" },
    json: { type: "boolean", default: false },
  },
  (given) => given,
);

process.exit(values.cell === undefined ? await runAll() : await replay(values.cell));

async function runAll(): Promise<number> {
  const beganMs = performance.now();
  const plans = await planMatrix(values.only?.split(","));
  const results = await playMatrix(plans, (result) => {
    if (result.end !== "violated") return;
    console.error(`npm run sim:crash-matrix -- --cell ${nameCell(result)}   # ${result.why}`);
  });
  const summary = summariseMatrix(results);
  const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
  console.log("action       cells   done  compensated  needs operator  violated");
  for (const [name, each] of Object.entries(summary.actions)) {
    const figures = [
      String(each.cells).padStart(5),
      String(each.done).padStart(5),
      String(each.compensated).padStart(11),
      String(each["needs-operator"]).padStart(14),
      String(each.violated).padStart(8),
    ];
    console.log(`${name.padEnd(12)} ${figures.join("  ")}`);
  }
  console.log(`${summary.cells} cells in ${seconds} s: every action kind × every boundary it passes × who is killed`);
  if (values.json) console.log(JSON.stringify({ ...summary, seconds }));
  return summary.violated === 0 ? 0 : 1;
}

/** Plays one cell and tells its story. */
async function replay(name: string): Promise<number> {
  const [action = "", boundary = "", occurrence = "", victim = ""] = name.split(":");
  const [plan] = await planMatrix([action]);
  if (plan === undefined) throw new Error(`there is no action ${action}`);
  const cell: Cell = {
    action,
    boundary: boundary as Boundary,
    occurrence: Number(occurrence),
    victim: victim as Victim,
  };
  const result = await playCell(plan.action, plan.reference, cell, (sim) =>
    createStory(sim, (nowMs, who, what) =>
      console.log(`${(nowMs / 1_000).toFixed(3).padStart(9)} s  ${who.padEnd(5)}  ${what}`),
    ),
  );
  console.log(`${nameCell(result)}: ${result.end}${result.why === "" ? "" : ` (${result.why})`}`);
  return result.end === "violated" ? 1 : 0;
}
