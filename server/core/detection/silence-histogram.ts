/**
 * How long a node stays silent between two beats, learned as a histogram.
 *
 * Buckets are logarithmic in units of the beat interval, so one small array serves a LAN and a satellite link alike and
 * quantiles keep a constant relative error (the idea of HdrHistogram). Plain data; pure: no clock, no random.
 */

export const BUCKETS_PER_OCTAVE = 16;
const OCTAVES = 8;
export const SMALLEST_RATIO = 0.5;
/** Longest silence told apart, in intervals. */
export const LARGEST_RATIO = SMALLEST_RATIO * 2 ** OCTAVES;
/** Points of the grid on which tails are computed: `GRID[i]` intervals, logarithmic from 0.5 to 128. */
export const GRID_POINTS = BUCKETS_PER_OCTAVE * OCTAVES + 1;
export const GRID: readonly number[] = Array.from({ length: GRID_POINTS }, (_, i) => {
  return SMALLEST_RATIO * 2 ** (i / BUCKETS_PER_OCTAVE);
});

/** Old evidence is halved every so many beats (a day at one beat each 1.3 s). */
export const FADE_EVERY_BEATS = 65_536;

export type SilenceHistogram = {
  /** Weight of the silences in `(GRID[i−1], GRID[i]]` intervals; the first bucket takes all shorter ones, the last all longer. */
  counts: number[];
  /** Sum of `counts`. */
  total: number;
};

export function createHistogram(): SilenceHistogram {
  return { counts: new Array<number>(GRID_POINTS).fill(0), total: 0 };
}

/** Position of a silence on the grid, as a real number; `GRID[floor(position)] <= ratio`. Clamped to the grid. */
export function gridPosition(ratio: number): number {
  if (!(ratio > SMALLEST_RATIO)) return 0;
  return Math.min(GRID_POINTS - 1, Math.log2(ratio / SMALLEST_RATIO) * BUCKETS_PER_OCTAVE);
}

/** Adds one observed silence (in intervals). Mutates `histogram`. */
export function addSilence(histogram: SilenceHistogram, ratio: number): void {
  histogram.counts[Math.ceil(gridPosition(ratio))]! += 1;
  histogram.total += 1;
}

/** Halves all old evidence. Mutates `histogram`. */
export function fadeHistogram(histogram: SilenceHistogram): void {
  const { counts } = histogram;
  for (let i = 0; i < counts.length; i++) counts[i] = counts[i]! / 2;
  histogram.total /= 2;
}

/** What was never seen counts as half a time (Jeffreys' prior). */
const UNSEEN = 0.5;
/** Silences longer than this many intervals are the tail, whose shape is smoothed by a prior. */
const TAIL_FROM = Math.ceil(gridPosition(1.2));
/** The prior's severity of a long silence: Pareto with this exponent, worth this many observed long silences. */
const PARETO_EXPONENT = 3;
const PARETO_WEIGHT = 4;
const PARETO: readonly number[] = GRID.map((ratio) => (GRID[TAIL_FROM]! / ratio) ** PARETO_EXPONENT);

/**
 * Fills `tail[i]` with the probability that a live node stays silent longer than `GRID[i]` intervals: how often a silence
 * is long at all (the unseen is improbable, never impossible) times how long it then lasts (observed,
 * smoothed by a Pareto prior). Non-increasing and positive.
 */
export function fillTail(histogram: SilenceHistogram, tail: Float64Array): void {
  const { counts, total } = histogram;
  let above = 0;
  for (let i = GRID_POINTS - 1; i >= 0; i--) {
    tail[i] = above;
    above += counts[i]!;
  }
  const long = tail[TAIL_FROM]!;
  const longProbability = (long + UNSEEN) / (total + 1);
  for (let i = 0; i < GRID_POINTS; i++) {
    if (i <= TAIL_FROM) tail[i] = (tail[i]! + UNSEEN) / (total + 1);
    else tail[i] = (longProbability * (tail[i]! + PARETO_WEIGHT * PARETO[i]!)) / (long + PARETO_WEIGHT);
  }
}

/** The tail at any silence, by interpolation; beyond the grid it falls on as the prior does. Monotone. */
export function tailAt(tail: Float64Array, ratio: number): number {
  if (ratio <= SMALLEST_RATIO)
    return Math.min(1, tail[0]! + (1 - tail[0]!) * (1 - Math.max(0, ratio) / SMALLEST_RATIO));
  if (ratio >= LARGEST_RATIO) return tail[GRID_POINTS - 1]! * (LARGEST_RATIO / ratio) ** PARETO_EXPONENT;
  const position = gridPosition(ratio);
  const i = Math.min(GRID_POINTS - 2, Math.floor(position));
  return tail[i]! + (tail[i + 1]! - tail[i]!) * (position - i);
}
