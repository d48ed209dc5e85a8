/**
 * What one node's silences look like now: the learned distribution, bent by the present context of trouble, and for each
 * silence the worth of waiting on.
 */
import {
  addSilence,
  createHistogram,
  FADE_EVERY_BEATS,
  fadeHistogram,
  fillTail,
  GRID,
  GRID_POINTS,
  type SilenceHistogram,
  tailAt,
} from "./silence-histogram.ts";
import {
  createTroubleContext,
  fadeContext,
  logRatioAt,
  observeSilence,
  refreshRatios,
  type TroubleContext,
} from "./trouble-context.ts";

export type SilenceModel = { silences: SilenceHistogram; troubles: TroubleContext; beats: number };

export function createModel(): SilenceModel {
  return { silences: createHistogram(), troubles: createTroubleContext(), beats: 0 };
}

/** Learns one silence (in intervals). Mutates `model`; true when the context changed and thresholds should be chosen anew. */
export function learnSilence(model: SilenceModel, ratio: number): boolean {
  addSilence(model.silences, ratio);
  const changed = observeSilence(model.troubles, ratio);
  model.beats += 1;
  if (model.beats % FADE_EVERY_BEATS === 0) {
    fadeHistogram(model.silences);
    fadeContext(model.troubles);
  }
  return changed;
}

/**
 * The model on the grid. `tail[i]`: probability of a silence longer than `GRID[i]`. `patience[i]`: −ln of the chance per
 * interval that waiting past `GRID[i]` is rewarded by a beat, non-decreasing. Both for the present context, and overall.
 */
export type Prediction = {
  overallTail: Float64Array;
  overallPatience: Float64Array;
  tail: Float64Array;
  patience: Float64Array;
};

// Shared scratch, overwritten by each call of `predict`; callers read it before the next call and keep nothing of it.
const prediction: Prediction = {
  overallTail: new Float64Array(GRID_POINTS),
  overallPatience: new Float64Array(GRID_POINTS),
  tail: new Float64Array(GRID_POINTS),
  patience: new Float64Array(GRID_POINTS),
};

/** Computes the prediction and refreshes the context's ratios. The result is scratch: valid until the next call. */
export function predict(model: SilenceModel): Prediction {
  const { overallTail, overallPatience, patience } = prediction;
  fillTail(model.silences, overallTail);
  refreshRatios(model.troubles, (level) => tailAt(overallTail, level));
  fillPatience(overallTail, overallPatience);
  fillContextTail(model, overallTail);
  fillPatience(prediction.tail, patience);
  return prediction;
}

/** The tail of the present context, from ratios already refreshed. The result is scratch: valid until the next call. */
export function predictTail(model: SilenceModel): Float64Array {
  fillTail(model.silences, prediction.overallTail);
  return fillContextTail(model, prediction.overallTail);
}

function fillContextTail(model: SilenceModel, overallTail: Float64Array): Float64Array {
  const { tail } = prediction;
  if (model.troubles.sinceLast[0]! < 0) {
    tail.set(overallTail);
    return tail;
  }
  let highest = 1;
  for (let i = 0; i < GRID_POINTS; i++) {
    const bent = overallTail[i]! * Math.exp(logRatioAt(model.troubles, GRID[i]!));
    highest = Math.min(highest, bent);
    tail[i] = highest;
  }
  return tail;
}

const corner = new Int32Array(GRID_POINTS);

/**
 * Waiting from x to y costs y − x and is rewarded with probability tail(x) − tail(y). The best stopping point for a price
 * per interval is a corner of the greatest convex minorant of the tail (Grenander 1956), and its slope there is the price.
 */
function fillPatience(tail: Float64Array, patience: Float64Array): void {
  let corners = 0;
  for (let i = 0; i < GRID_POINTS; i++) {
    while (corners >= 2) {
      const b = corner[corners - 1]!;
      const a = corner[corners - 2]!;
      const isAbove = (tail[i]! - tail[b]!) * (GRID[b]! - GRID[a]!) <= (tail[b]! - tail[a]!) * (GRID[i]! - GRID[b]!);
      if (!isAbove) break;
      corners--;
    }
    corner[corners++] = i;
  }
  for (let c = 0; c + 1 < corners; c++) {
    const from = corner[c]!;
    const to = corner[c + 1]!;
    const slope = (tail[from]! - tail[to]!) / (GRID[to]! - GRID[from]!);
    const value = -Math.log(Math.max(slope, Number.MIN_VALUE));
    for (let i = from; i < to; i++) patience[i] = value;
  }
  patience[GRID_POINTS - 1] = Number.MAX_VALUE;
}
