/**
 * `npm run bench:detection -- --traces DIR [--json]`: replays heartbeat traces through the product's detector and through the
 * published formulas, and prints mistakes per 10,000 beats at equal mean detection time. Figures, never assertions.
 */
import { readCommand } from "../../scripts/command-line.ts";
import { calibrate, summarize, type TraceCalibration } from "./calibrate.ts";
import { FORMULAS } from "./formulas.ts";
import { excusesFor } from "./holdfast.ts";
import { operatingPoint, productPoints } from "./operating-point.ts";
import { byClass, overall, TARGETS, type TraceScore, worstClass } from "./score.ts";
import { readTraces, type Trace } from "./trace.ts";

const usage = `npm run bench:detection -- --traces DIR [--json]
  --traces DIR   heartbeat traces, *.hb.gz
  --json         the last line is one object`;

const PRODUCT = "Holdfast";

type Results = {
  scores: Map<string, TraceScore[]>;
  calibrations: TraceCalibration[];
  /** How far the product's mean T_D is from the target, in intervals, per trace and target (+ is slower). */
  misses: number[];
};

function run(traces: readonly Trace[], log: (line: string) => void): Results {
  const scores = new Map<string, TraceScore[]>([PRODUCT, ...FORMULAS.map((f) => f.name)].map((name) => [name, []]));
  const calibrations: TraceCalibration[] = [];
  const misses: number[] = [];
  for (const [i, trace] of traces.entries()) {
    log(`${i + 1}/${traces.length} ${trace.id}`);
    const { traceClass } = trace;
    const excuses = excusesFor(trace, traces);
    const ours = productPoints(trace, TARGETS, excuses);
    scores.get(PRODUCT)!.push({ traceClass, mistakes: ours.map((point) => point.mistakesPer10k) });
    misses.push(...ours.map((point, t) => point.meanDetectionIntervals - TARGETS[t]!));
    for (const formula of FORMULAS) {
      const sweep = formula.prepare(trace);
      const mistakes = TARGETS.map((target) => operatingPoint(trace, sweep, target).mistakesPer10k);
      scores.get(formula.name)!.push({ traceClass, mistakes });
    }
    calibrations.push(calibrate(trace, excuses));
  }
  return { scores, calibrations, misses };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const atTargets = (values: readonly number[]) => ({
  td2: round(values[0]!),
  td3: round(values[1]!),
  td4: round(values[2]!),
});

function report({ scores, calibrations, misses }: Results, print: (line: string) => void) {
  const classes = new Map([...scores].map(([name, list]) => [name, byClass(list)]));
  const totals = new Map([...classes].map(([name, byName]) => [name, overall(byName)]));
  const names = [...classes.keys()];
  const cell = (values: readonly number[]) => values.map((v) => v.toFixed(2)).join(" / ");
  const width = Math.max(...names.map((name) => name.length), 22) + 2;
  const row = (head: string, cells: readonly string[]) =>
    print(head.padEnd(26) + cells.map((c) => c.padEnd(width)).join(""));

  print(`Mistakes per 10,000 beats at mean T_D = ${TARGETS.join(" / ")} intervals\n`);
  row("class", names);
  for (const traceClass of classes.get(PRODUCT)!.keys()) {
    row(
      traceClass,
      names.map((name) => cell(classes.get(name)!.get(traceClass)!)),
    );
  }
  row(
    "geometric mean (+0.1)",
    names.map((name) => cell(totals.get(name)!)),
  );

  const formulas = names.filter((name) => name !== PRODUCT);
  const bestAt = TARGETS.map((_, t) => formulas.reduce((a, b) => (totals.get(b)![t]! < totals.get(a)![t]! ? b : a)));
  const ratioToBest = TARGETS.map((_, t) => totals.get(PRODUCT)![t]! / totals.get(bestAt[t]!)![t]!);
  const worst = worstClass(classes.get(PRODUCT)!, (t) => classes.get(bestAt[t]!)!);
  print(`\nRatio to the best formula: ${cell(ratioToBest)}  (${bestAt.join(", ")})`);
  print(`Worst class against the best formula: ${worst.ratio.toFixed(2)} (${worst.traceClass} at T_D ${worst.target})`);
  const meanMiss = misses.reduce((sum, miss) => sum + miss, 0) / misses.length;
  const widest = misses.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  print(`${PRODUCT}'s mean T_D less the target: mean ${meanMiss.toFixed(3)}, widest ${widest.toFixed(3)} intervals`);

  const calibration = {
    budgetPer10k: 1,
    whole: summarize(calibrations, (c) => c.whole),
    settled: summarize(calibrations, (c) => c.settled),
  };
  print("\nSelf-calibration at 1 mistake per 10,000 beats (T_D over the best parameter in hindsight):");
  for (const kind of ["whole", "settled"] as const) {
    const s = calibration[kind];
    print(
      `  ${kind === "whole" ? "from the first beat" : "second half        "}  fixed timeout ${s.ratioToOfflineFixed.toFixed(2)}x` +
        `  best formula ${s.ratioToOfflineBest.toFixed(2)}x  mistakes ${s.mistakesPer10k.toFixed(2)} per 10,000`,
    );
  }
  return {
    detectors: Object.fromEntries([...totals].map(([name, values]) => [name, atTargets(values)])),
    ratioToBest: atTargets(ratioToBest),
    worstClassRatio: round(worst.ratio),
    worstClass: worst.traceClass,
    detectionMiss: { mean: round(meanMiss), widest: round(widest) },
    classes: Object.fromEntries(
      [...classes].map(([name, byName]) => [name, Object.fromEntries([...byName].map(([c, v]) => [c, atTargets(v)]))]),
    ),
    calibration,
  };
}

function main(): number {
  const { traces, json: asJson } = readCommand(
    usage,
    { traces: { type: "string" }, json: { type: "boolean", default: false } },
    (values) => {
      if (values.traces === undefined) throw new Error("--traces DIR is required.");
      const found = readTraces(values.traces);
      if (found.length === 0) throw new Error(`There are no traces (*.hb.gz) in ${values.traces}.`);
      return { traces: found, json: values.json };
    },
  );
  const results = run(traces, (line) => process.stderr.isTTY && console.error(line));
  const json = report(results, console.log);
  if (asJson) console.log(JSON.stringify(json));
  return 0;
}

process.exitCode = main();
