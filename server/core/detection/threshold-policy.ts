/**
 * Where to stop waiting.
 *
 * Budget of mistakes: in every context the shortest silence whose tail is within the budget, as an accrual detector does.
 * Mean silence: one price of waiting for all contexts gives the fewest mistakes for a given mean wait (a Neyman–Pearson
 * argument); a single number steers the price so that the wanted mean is met.
 */
import { GRID, GRID_POINTS, gridPosition } from "./silence-histogram.ts";
import type { Prediction } from "./silence-model.ts";

/** What the operator states: mistakes accepted per beat, or the mean silence before suspicion in intervals. */
export type Aim = { kind: "mistakes-per-beat"; probability: number } | { kind: "mean-silence"; intervals: number };

export type Steering = {
  /** Added to the patience of the reference point, so that the mean silence is met over all contexts. */
  correction: number;
  /** Silence before suspicion, in intervals. */
  thresholdRatio: number;
};

export type Bounds = { minRatio: number; maxRatio: number };

export function createSteering(): Steering {
  return { correction: 0, thresholdRatio: 1 };
}

/** Correction per beat and unit of relative error: slower than a burst of trouble, quick enough for a thousand beats. */
const STEERING_RATE = 0.015;
const MAX_CORRECTION = 12;
/** Prices this close (natural log) are the same: then the threshold stays at the aim. */
const INDIFFERENCE = 0.1;

/**
 * Chooses the silence before suspicion for the present prediction, after `beats` beats under the previous choice.
 * Mutates and returns `steering`.
 */
export function steer(steering: Steering, aim: Aim, prediction: Prediction, bounds: Bounds, beats: number): Steering {
  const ratio =
    aim.kind === "mistakes-per-beat"
      ? silenceWithin(prediction.tail, aim.probability)
      : silenceAtPrice(steering, aim.intervals, prediction, beats);
  steering.thresholdRatio = Math.min(bounds.maxRatio, Math.max(bounds.minRatio, ratio));
  return steering;
}

/** The shortest silence (in intervals) whose tail is at most `probability`; the end of the grid when there is none. */
function silenceWithin(tail: Float64Array, probability: number): number {
  let i = 0;
  while (i < GRID_POINTS - 1 && tail[i]! > probability) i++;
  if (i === 0 || tail[i]! > probability) return GRID[i]!;
  const part = (tail[i - 1]! - probability) / (tail[i - 1]! - tail[i]!);
  return GRID[i - 1]! * (GRID[i]! / GRID[i - 1]!) ** part;
}

function silenceAtPrice(steering: Steering, intervals: number, prediction: Prediction, beats: number): number {
  const error = Math.max(-1, Math.min(1, (intervals - steering.thresholdRatio) / intervals));
  const correction = steering.correction + STEERING_RATE * beats * error;
  steering.correction = Math.max(-MAX_CORRECTION, Math.min(MAX_CORRECTION, correction));
  const reference = Math.min(GRID_POINTS - 2, Math.floor(gridPosition(intervals)));
  const patience = prediction.overallPatience[reference]! + steering.correction;
  const from = GRID[firstAtLeast(prediction.patience, patience - INDIFFERENCE)]!;
  const to = GRID[firstAtLeast(prediction.patience, patience + INDIFFERENCE)]!;
  return Math.min(to, Math.max(from, intervals));
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
