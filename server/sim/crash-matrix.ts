import { parseArgs } from "node:util";
import { formatTable } from "../../bench/failover/statistics.ts";
import { type Cell, nameCell, playCell, type Victim } from "./crash-matrix/cell.ts";
import { planMatrix, playMatrix, summariseMatrix } from "./crash-matrix/matrix.ts";
import type { Boundary } from "./crash-matrix/passages.ts";
import { createStory } from "./story.ts";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    only: { type: "string" },
    cell: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

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
  const rows = Object.entries(summary.actions).map(([name, each]) => [
    name,
    each.cells,
    each.done,
    each.compensated,
    each["needs-operator"],
    each.violated,
  ]);
  console.log(
    formatTable([["action", "cells", "done", "compensated", "needs operator", "violated"], ...rows]).join("\n"),
  );
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
