import { DEFAULT_CONFIG } from "../../server/core/localization/config.ts";
import type { Suspect } from "../../server/core/localization/fusion.ts";
import { localize } from "../../server/core/localization/localize.ts";
import { quantile } from "../../server/core/localization/statistics.ts";
import { BASELINES } from "./baselines.ts";
import { type Calibration, calibrate } from "./calibration.ts";
import type { LabelledCase } from "./cases.ts";
import { isHeadline } from "./evaluation.ts";
import { type Accuracy, accuracyAt, average, type Judged, macro, summarize } from "./ranking-metrics.ts";
import { buildNormalWindows, scoreSpecificity } from "./specificity.ts";
import { STRESSES } from "./stress.ts";

interface Answer extends Judged {
  readonly set: string;
  readonly faultClass: string | undefined;
  readonly ranking: readonly Suspect[];
  readonly ms: number;
  readonly cpuMs: number;
}

/** Accuracy of one set; `classes` is AC@1 by the fault class of the label. */
export interface SetScore extends Accuracy {
  readonly cases: number;
  readonly jointAc1: number;
  readonly classes: Record<string, number>;
}

export interface Scores {
  readonly macro: Accuracy;
  readonly sets: Record<string, Accuracy>;
}

/** Everything that `--json` prints. */
export interface Report {
  readonly macro: Accuracy & { jointAc1: number };
  readonly sets: Record<string, SetScore>;
  readonly oneSampleLate: Scores;
  /** Share of fault-free windows answered with an empty list; `detail` by protocol and set. */
  readonly specificity: number;
  readonly specificityDetail: Record<string, number>;
  readonly calibration: Calibration;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Processor time, which other work on the machine disturbs less. */
  readonly p95CpuMs: number;
  readonly baselines: Record<string, Scores>;
}

/** Runs the localizer and the baselines over the cases. */
export function buildReport(directory: string, cases: readonly LabelledCase[]): Report {
  // The first runs are compiled code's warm-up, which a long-lived process never sees again.
  answer(cases.slice(0, 5), 0);
  const answers = answer(cases, 0);
  const sets = scoreSets(answers);
  const headline = answers.filter(({ set }) => isHeadline(set));
  const times = answers.map(({ ms }) => ms);
  const specificityDetail = scoreSpecificity(buildNormalWindows(directory));
  const joint = [...sets].filter(([set]) => isHeadline(set)).map(([, { jointAc1 }]) => jointAc1);
  return {
    macro: { ...macroOf(sets), jointAc1: average(joint) },
    sets: Object.fromEntries(sets),
    oneSampleLate: toScores(answer(cases, 1)),
    specificity: specificityDetail.petshop ?? specificityDetail.all ?? Number.NaN,
    specificityDetail,
    calibration: calibrate(
      headline.map(({ ranking, truth }) => ({
        confidence: ranking[0]?.confidence ?? 0,
        right: accuracyAt(1, ranking, truth),
      })),
    ),
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    p95CpuMs: quantile(
      answers.map(({ cpuMs }) => cpuMs),
      0.95,
    ),
    baselines: Object.fromEntries(
      Object.entries(BASELINES).map(([name, rank]) => [
        name,
        toScores(cases.map(({ set, truth, window }) => ({ set, truth, ranking: rank(window()) }))),
      ]),
    ),
  };
}

/** Accuracy when the telemetry is poorer than in the cases. */
export function scoreStresses(cases: readonly LabelledCase[]): Record<string, Scores> {
  return Object.fromEntries(
    Object.entries(STRESSES).map(([name, change]) => [
      name,
      toScores(cases.map(({ set, truth, window }) => ({ set, truth, ranking: localize(change(window())) }))),
    ]),
  );
}

function answer(cases: readonly LabelledCase[], shiftSamples: number): Answer[] {
  return cases.map(({ set, truth, faultClass, window }) => {
    const start = performance.now();
    const used = process.cpuUsage();
    const ranking = localize(window(shiftSamples), DEFAULT_CONFIG);
    const { user, system } = process.cpuUsage(used);
    return { set, truth, faultClass, ranking, ms: performance.now() - start, cpuMs: (user + system) / 1000 };
  });
}

function toScores(judged: readonly (Judged & { set: string })[]): Scores {
  const sets = new Map([...groupBySet(judged)].map(([set, list]) => [set, summarize(list)]));
  return { macro: macroOf(sets), sets: Object.fromEntries(sets) };
}

function scoreSets(answers: readonly Answer[]): Map<string, SetScore> {
  return new Map(
    [...groupBySet(answers)].map(([set, list]) => {
      const names = new Set(list.map(({ faultClass }) => faultClass ?? "unknown"));
      const ofClass = (name: string): Answer[] => list.filter(({ faultClass }) => (faultClass ?? "unknown") === name);
      const classes = Object.fromEntries([...names].map((name) => [name, summarize(ofClass(name)).ac1]));
      const joint = list.map((a) => (a.ranking[0]?.class === a.faultClass ? accuracyAt(1, a.ranking, a.truth) : 0));
      return [set, { ...summarize(list), cases: list.length, jointAc1: average(joint), classes }];
    }),
  );
}

function macroOf(sets: ReadonlyMap<string, Accuracy>): Accuracy {
  return macro([...sets].filter(([set]) => isHeadline(set)).map(([, accuracy]) => accuracy));
}

function groupBySet<T extends { set: string }>(items: readonly T[]): Map<string, T[]> {
  const sets = new Map<string, T[]>();
  for (const item of items) sets.set(item.set, [...(sets.get(item.set) ?? []), item]);
  return sets;
}
