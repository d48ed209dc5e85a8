import type { CrossValidation } from "./evaluation.ts";
import { isHeadline } from "./evaluation.ts";
import type { Accuracy } from "./ranking-metrics.ts";
import type { Report, Scores } from "./report.ts";

function line(name: string, values: readonly number[]): void {
  console.log(name.padEnd(28) + values.map((value) => value.toFixed(3).padStart(8)).join(""));
}

function header(title: string, columns: readonly string[]): void {
  console.log(`\n${title.padEnd(28)}${columns.map((column) => column.padStart(8)).join("")}`);
}

function columnsOf({ ac1, ac3, avg5 }: Accuracy): number[] {
  return [ac1, ac3, avg5];
}

export function printReport(report: Report): void {
  header("set", ["AC@1", "AC@3", "Avg@5", "joint"]);
  for (const [set, score] of Object.entries(report.sets)) {
    line(isHeadline(set) ? set : `(${set})`, [...columnsOf(score), score.jointAc1]);
    for (const [name, ac1] of Object.entries(score.classes)) line(`  ${name}`, [ac1]);
  }
  line("macro", [...columnsOf(report.macro), report.macro.jointAc1]);
  line("macro, one sample late", columnsOf(report.oneSampleLate.macro));
  header("baseline, macro", ["AC@1", "AC@3", "Avg@5"]);
  for (const [name, { macro }] of Object.entries(report.baselines)) line(name, columnsOf(macro));
  header("fault-free windows", ["empty"]);
  for (const [name, share] of Object.entries(report.specificityDetail)) line(name, [share]);
  const { rightAbove80, countAbove80, brier } = report.calibration;
  console.log(
    `\nconfidence >= 0.8: right ${(rightAbove80 * 100).toFixed(1)} % of ${countAbove80}; Brier ${brier.toFixed(3)}`,
  );
  console.log(
    `time per case: median ${report.p50Ms.toFixed(1)} ms, p95 ${report.p95Ms.toFixed(1)} ms (processor time ${report.p95CpuMs.toFixed(1)} ms)`,
  );
}

export function printCrossValidation({ crossValidated, fitted, shipped, weights }: CrossValidation): void {
  header("weights, macro", ["AC@1", "AC@3", "Avg@5"]);
  line("cross-validated", columnsOf(crossValidated));
  line("fitted to all cases", columnsOf(fitted));
  line("shipped (rounded)", columnsOf(shipped));
  header("weight", ["fitted", "shipped"]);
  for (const [family, weight] of Object.entries(weights)) line(family, [weight.fitted, weight.shipped]);
}

export function printAblation(
  full: Accuracy,
  ablation: Readonly<Record<string, { without: Accuracy; alone: Accuracy }>>,
): void {
  header("evidence, macro", ["without", "AC@3", "alone", "AC@3"]);
  line("all", [full.ac1, full.ac3]);
  for (const [family, { without, alone }] of Object.entries(ablation)) {
    line(family, [without.ac1, without.ac3, alone.ac1, alone.ac3]);
  }
}

export function printStresses(stresses: Readonly<Record<string, Scores>>): void {
  header("poorer telemetry, macro", ["AC@1", "AC@3", "Avg@5"]);
  for (const [name, { macro }] of Object.entries(stresses)) line(name, columnsOf(macro));
}
