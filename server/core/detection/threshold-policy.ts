/**
 * Where to stop waiting. One price of waiting for all contexts gives the fewest mistakes for a given mean wait (a
 * Neyman–Pearson argument), and one number steers the price so that the stated aim is met on average.
 */
import { GRID, GRID_POINTS, gridPosition, tailAt } from "./silence-histogram.ts";
import type { Prediction } from "./silence-model.ts";

/** What the operator states: mistakes accepted per beat, or the mean silence before suspicion in intervals. */
export type Aim = { kind: "mistakes-per-beat"; probability: number } | { kind: "mean-silence"; intervals: number };

export type Steering = {
  /** Added to the patience of the reference point; learned so that the aim is met over all contexts. */
  correction: number;
  /** Silence before suspicion, in intervals. */
  thresholdRatio: number;
  /** Probability that a live node is silent for longer than that, at the time of the choice. */
  risk: number;
};

export function createSteering(): Steering {
  return { correction: 0, thresholdRatio: 1, risk: 1 };
}

/** Correction per beat and unit of relative error; about 70 beats to answer, slower than a burst of trouble. */
const STEERING_RATE = 0.015;
const MAX_CORRECTION = 12;

/**
 * Chooses the silence before suspicion for the present prediction, after `beats` beats under the previous choice.
 * `minRatio`/`maxRatio` bound it, in intervals. Mutates and returns `steering`.
 */
export function steer(
  steering: Steering,
  aim: Aim,
  prediction: Prediction,
  bounds: { minRatio: number; maxRatio: number },
): Steering {
  const reference = referencePoint(aim, prediction);
  const patience = prediction.overallPatience[reference]! + steering.correction;
  const ratio = GRID[firstAtLeast(prediction.patience, patience)]!;
  steering.thresholdRatio = Math.min(bounds.maxRatio, Math.max(bounds.minRatio, ratio));
  steering.risk = tailAt(prediction.tail, steering.thresholdRatio);
  return steering;
}

/** Learns from `beats` beats spent at the present threshold. Mutates `steering`. */
export function learnSteering(steering: Steering, aim: Aim, beats: number): void {
  const error =
    aim.kind === "mean-silence"
      ? (aim.intervals - steering.thresholdRatio) / aim.intervals
      : (steering.risk - aim.probability) / aim.probability;
  const step = STEERING_RATE * beats * Math.max(-1, Math.min(1, error));
  steering.correction = Math.max(-MAX_CORRECTION, Math.min(MAX_CORRECTION, steering.correction + step));
}

/** Grid point that meets the aim when the context is as always. */
function referencePoint(aim: Aim, prediction: Prediction): number {
  if (aim.kind === "mean-silence") return Math.min(GRID_POINTS - 2, Math.floor(gridPosition(aim.intervals)));
  const { overallTail } = prediction;
  let low = 0;
  let high = GRID_POINTS - 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (overallTail[middle]! <= aim.probability) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** First index whose value is at least `wanted`; the values do not decrease. */
function firstAtLeast(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = GRID_POINTS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
