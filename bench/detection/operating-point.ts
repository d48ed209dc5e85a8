/** Where on its curve a detector sits: the parameter that gives a wanted mean detection time, and the mistakes there. */

import type { Excuses } from "../../server/core/detection/excuses.ts";
import type { Sweep } from "./formulas.ts";
import { replay } from "./holdfast.ts";
import { countMistakes, meanDetection } from "./measure.ts";
import type { Trace } from "./trace.ts";

export type OperatingPoint = { parameter: number; meanDetectionIntervals: number; mistakesPer10k: number };

const MAX_DOUBLINGS = 40;
const BISECTIONS = 40;

export function per10k(mistakes: number, beats: number): number {
  return (mistakes * 1e4) / beats;
}

function pointAt(trace: Trace, parameter: number, deadlines: Float64Array): OperatingPoint {
  return {
    parameter,
    meanDetectionIntervals: meanDetection(trace, deadlines),
    mistakesPer10k: per10k(countMistakes(trace, deadlines), trace.arrivedMs.length),
  };
}

/** Finds the parameter of a formula whose mean T_D is `target` intervals (or the closest it can come) by bisection. */
export function operatingPoint(trace: Trace, sweep: Sweep, target: number): OperatingPoint {
  let low = 0;
  let high = 1;
  for (let i = 0; i < MAX_DOUBLINGS && meanDetection(trace, sweep(high)) < target; i++) {
    low = high;
    high *= 2;
  }
  for (let i = 0; i < BISECTIONS && high - low > 1e-5 * high; i++) {
    const middle = (low + high) / 2;
    if (meanDetection(trace, sweep(middle)) < target) low = middle;
    else high = middle;
  }
  return pointAt(trace, high, sweep(high));
}

const ROUNDS = 8;
const TOLERANCE = 0.01;

/**
 * The same for the product's detector, whose parameter is the mean silence it aims at, for several targets in one replay a
 * round. T_D grows by about one interval an interval of silence, so a few corrections suffice. Of the points found, the one
 * closest to the target that does not exceed it by more than the tolerance; never one that was luckier farther away.
 */
export function productPoints(trace: Trace, targets: readonly number[], excuses: Excuses): OperatingPoint[] {
  const best = new Array<OperatingPoint | null>(targets.length).fill(null);
  const wanted = targets.map((target) => target + 0.5);
  const missOf = (point: OperatingPoint, target: number) => Math.abs(point.meanDetectionIntervals - target);
  for (let round = 0; round < ROUNDS; round++) {
    const open = targets.map((_, i) => i).filter((i) => best[i] === null || missOf(best[i]!, targets[i]!) > TOLERANCE);
    if (open.length === 0) break;
    const aims = open.map((i) => ({ kind: "mean-silence" as const, intervals: wanted[i]! }));
    const deadlines = replay(trace, aims, excuses);
    open.forEach((i, d) => {
      const point = pointAt(trace, wanted[i]!, deadlines[d]!);
      const known = best[i];
      if (!known || missOf(point, targets[i]!) < missOf(known, targets[i]!)) best[i] = point;
      wanted[i] = Math.max(0.6, wanted[i]! + 0.9 * (targets[i]! - point.meanDetectionIntervals));
    });
  }
  return best.map((point) => point!);
}
