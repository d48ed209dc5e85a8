import type { LocalizerConfig } from "../../server/core/localization/config.ts";
import type { Suspect } from "../../server/core/localization/fusion.ts";
import { localize } from "../../server/core/localization/localize.ts";
import { quantile } from "../../server/core/localization/statistics.ts";
import { BASELINES } from "./baselines.ts";
import { calibrate } from "./calibration.ts";
import { type LabelledCase, loadLabelledCases } from "./cases.ts";
import { parseOptions, requireOption } from "./options.ts";
import { type Accuracy, accuracyAt, average, type Judged, macro, summarize } from "./ranking-metrics.ts";
import { buildNormalWindows, scoreSpecificity } from "./specificity.ts";

interface Answer extends Judged {
  readonly set: string;
  readonly faultClass: string | undefined;
  readonly ranking: readonly Suspect[];
  readonly ms: number;
}

interface SetScore extends Accuracy {
  readonly cases: number;
  readonly jointAc1: number;
  readonly classes: Record<string, number>;
}

/** Sets whose normal telemetry is borrowed are shown apart and stay out of the headline. */
function isHeadline(set: string): boolean {
  return !set.endsWith("-temporal");
}

function answer(cases: readonly LabelledCase[], shiftSamples: number, config?: LocalizerConfig): Answer[] {
  return cases.map(({ set, truth, faultClass, window }) => {
    const start = performance.now();
    const ranking = localize(window(shiftSamples), config);
    return { set, truth, faultClass, ranking, ms: performance.now() - start };
  });
}

function groupBySet<T extends { set: string }>(items: readonly T[]): Map<string, T[]> {
  const sets = new Map<string, T[]>();
  for (const item of items) sets.set(item.set, [...(sets.get(item.set) ?? []), item]);
  return sets;
}

function scoreSets(answers: readonly Answer[]): Map<string, SetScore> {
  return new Map(
    [...groupBySet(answers)].map(([set, list]) => {
      const classes: Record<string, number> = {};
      for (const name of new Set(list.map(({ faultClass }) => faultClass ?? "unknown"))) {
        classes[name] = summarize(list.filter(({ faultClass }) => (faultClass ?? "unknown") === name)).ac1;
      }
      const joint = list.map((a) => (a.ranking[0]?.class === a.faultClass ? accuracyAt(1, a.ranking, a.truth) : 0));
      return [set, { ...summarize(list), cases: list.length, jointAc1: average(joint), classes }];
    }),
  );
}

function macroOf(sets: ReadonlyMap<string, Accuracy>): Accuracy {
  return macro([...sets].filter(([set]) => isHeadline(set)).map(([, accuracy]) => accuracy));
}

function scoreBaselines(
  cases: readonly LabelledCase[],
): Record<string, { macro: Accuracy; sets: Record<string, Accuracy> }> {
  return Object.fromEntries(
    Object.entries(BASELINES).map(([name, rank]) => {
      const judged = cases.map(({ set, truth, window }) => ({ set, truth, ranking: rank(window()) }));
      const sets = new Map([...groupBySet(judged)].map(([set, list]) => [set, summarize(list)]));
      return [name, { macro: macroOf(sets), sets: Object.fromEntries(sets) }];
    }),
  );
}

/** Everything the report holds; with `--json` this is the last line printed. */
function buildReport(directory: string, cases: readonly LabelledCase[]) {
  answer(cases.slice(0, 5), 0);
  const answers = answer(cases, 0);
  const sets = scoreSets(answers);
  const late = scoreSets(answer(cases, 1));
  const headline = answers.filter(({ set }) => isHeadline(set));
  const times = answers.map(({ ms }) => ms);
  return {
    macro: { ...macroOf(sets), jointAc1: average([...sets].filter(([s]) => isHeadline(s)).map(([, s]) => s.jointAc1)) },
    sets: Object.fromEntries(sets),
    oneSampleLate: { macro: macroOf(late), sets: Object.fromEntries(late) },
    specificity: scoreSpecificity(buildNormalWindows(directory)),
    calibration: calibrate(
      headline.map(({ ranking, truth }) => ({
        confidence: ranking[0]?.confidence ?? 0,
        right: accuracyAt(1, ranking, truth),
      })),
    ),
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    baselines: scoreBaselines(cases),
  };
}

type Report = ReturnType<typeof buildReport>;

function printReport(report: Report): void {
  const show = (value: number): string => value.toFixed(3).padStart(8);
  const line = (name: string, values: readonly number[]): void =>
    console.log(name.padEnd(24) + values.map(show).join(""));
  console.log(`${"".padEnd(24)}    AC@1    AC@3   Avg@5   joint`);
  for (const [set, score] of Object.entries(report.sets)) {
    line(isHeadline(set) ? set : `(${set})`, [score.ac1, score.ac3, score.avg5, score.jointAc1]);
    for (const [name, ac1] of Object.entries(score.classes)) line(`  ${name}`, [ac1]);
  }
  line("macro", [report.macro.ac1, report.macro.ac3, report.macro.avg5, report.macro.jointAc1]);
  line("one sample late", [
    report.oneSampleLate.macro.ac1,
    report.oneSampleLate.macro.ac3,
    report.oneSampleLate.macro.avg5,
  ]);
  for (const [name, { macro: scores }] of Object.entries(report.baselines))
    line(`baseline ${name}`, [scores.ac1, scores.ac3, scores.avg5]);
  for (const [name, share] of Object.entries(report.specificity)) line(`specificity ${name}`, [share]);
  const { rightAbove80, countAbove80, brier } = report.calibration;
  console.log(
    `confidence >= 0.8: right ${(rightAbove80 * 100).toFixed(1)} % of ${countAbove80}; Brier ${brier.toFixed(3)}`,
  );
  console.log(`time per case: median ${report.p50Ms.toFixed(1)} ms, p95 ${report.p95Ms.toFixed(1)} ms`);
}

/** `npm run score:localization -- --cases DIR [--json]`. */
function main(): void {
  const options = parseOptions(process.argv.slice(2));
  const directory = requireOption(options, "cases");
  const cases = loadLabelledCases(directory);
  const report = buildReport(directory, cases);
  printReport(report);
  if (options.has("json")) console.log(JSON.stringify(report));
}

main();
