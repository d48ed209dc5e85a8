/**
 * Does the detector meet a budget of mistakes by itself, and what does not knowing the trace cost? Compared with the best
 * parameter of a fixed timeout and of any formula, chosen in hindsight for each single trace.
 */
import type { Excuses } from "../../server/core/detection/excuses.ts";
import { FORMULAS, type Sweep } from "./formulas.ts";
import { replay } from "./holdfast.ts";
import { countMistakes, meanDetection } from "./measure.ts";
import { geometricMean, groupByClass, mean } from "./score.ts";
import type { Trace } from "./trace.ts";

export const BUDGET_PER_BEAT = 1e-4;

/** One trace from beat `from` on. T_D in intervals. */
type Span = { detection: number; mistakes: number; beats: number; offlineFixed: number; offlineBest: number };
export type TraceCalibration = { traceClass: string; whole: Span; settled: Span };

/** Shortest mean T_D a formula could have had with no more mistakes than the budget allows. */
function offlineDetection(trace: Trace, sweep: Sweep, allowed: number, from: number): number {
  const tooMany = (parameter: number) => countMistakes(trace, sweep(parameter), from) > allowed;
  let low = 0;
  let high = 1;
  while (tooMany(high) && high < 1e9) {
    low = high;
    high *= 2;
  }
  for (let i = 0; i < 40 && high - low > 1e-4 * high; i++) {
    const middle = (low + high) / 2;
    if (tooMany(middle)) low = middle;
    else high = middle;
  }
  return meanDetection(trace, sweep(high), from);
}

export function calibrate(trace: Trace, excuses: Excuses): TraceCalibration {
  const [deadlines] = replay(trace, [{ kind: "mistakes-per-beat", probability: BUDGET_PER_BEAT }], excuses);
  const sweeps = FORMULAS.map((formula) => formula.prepare(trace));
  const span = (from: number): Span => {
    const beats = trace.arrivedMs.length - from;
    const offline = sweeps.map((sweep) => offlineDetection(trace, sweep, Math.round(BUDGET_PER_BEAT * beats), from));
    return {
      detection: meanDetection(trace, deadlines!, from),
      mistakes: countMistakes(trace, deadlines!, from),
      beats,
      offlineFixed: offline[0]!,
      offlineBest: Math.min(...offline),
    };
  };
  return { traceClass: trace.traceClass, whole: span(0), settled: span(trace.arrivedMs.length >> 1) };
}

export type CalibrationSummary = {
  /** Mean T_D over the best fixed timeout's in hindsight, geometric mean over the classes. */
  ratioToOfflineFixed: number;
  /** The same over the best formula's, chosen for each single trace. */
  ratioToOfflineBest: number;
  /** Mistakes per 10,000 beats over all beats; the budget is 1. */
  mistakesPer10k: number;
};

export function summarize(
  results: readonly TraceCalibration[],
  pick: (c: TraceCalibration) => Span,
): CalibrationSummary {
  const classes = [...groupByClass(results).values()].map((group) => group.map(pick));
  const ratio = (other: (span: Span) => number) =>
    geometricMean(classes.map((spans) => mean(spans.map((s) => s.detection)) / mean(spans.map(other))));
  const spans = classes.flat();
  const total = (value: (span: Span) => number) => spans.reduce((sum, s) => sum + value(s), 0);
  return {
    ratioToOfflineFixed: ratio((s) => s.offlineFixed),
    ratioToOfflineBest: ratio((s) => s.offlineBest),
    mistakesPer10k: (total((s) => s.mistakes) * 1e4) / total((s) => s.beats),
  };
}
