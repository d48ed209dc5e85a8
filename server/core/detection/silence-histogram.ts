/**
 * How long a node stays silent between two beats, learned as a histogram.
 *
 * Buckets are logarithmic in units of the beat interval, so one small array serves a LAN and a satellite link alike,
 * and quantiles keep a constant relative error (HdrHistogram's idea). Old evidence fades exponentially.
 * Plain data: survives `JSON.stringify`. Pure: no clock, no random.
 */

/** Silence below this many intervals is never told apart: it is the normal rhythm. */
export const SMALLEST_RATIO = 0.25;
const BUCKETS_PER_OCTAVE = 8;
const OCTAVES = 9;
export const BUCKETS = BUCKETS_PER_OCTAVE * OCTAVES;
/** Longest silence told apart, in intervals (128). */
export const LARGEST_RATIO = SMALLEST_RATIO * 2 ** OCTAVES;

/** Weight of one new observation grows by this factor a beat, which is how old ones fade (half-life about 69,000 beats). */
const GROWTH = 1.00001;
const RESCALE_AT = 1e9;

export type SilenceHistogram = {
  /** Weight of observed silences per bucket, in units of `unit`. */
  counts: number[];
  /** Sum of `counts`. */
  total: number;
  /** Weight of the next observation. */
  unit: number;
};

export function createHistogram(): SilenceHistogram {
  return { counts: new Array<number>(BUCKETS).fill(0), total: 0, unit: 1 };
}

/** Lower edge of a bucket, in intervals. */
export function bucketEdge(bucket: number): number {
  return SMALLEST_RATIO * 2 ** (bucket / BUCKETS_PER_OCTAVE);
}

function bucketOf(ratio: number): number {
  if (!(ratio > SMALLEST_RATIO)) return 0;
  const bucket = Math.floor(Math.log2(ratio / SMALLEST_RATIO) * BUCKETS_PER_OCTAVE);
  return bucket >= BUCKETS ? BUCKETS - 1 : bucket;
}

/** Adds one observed silence (in intervals). Mutates `histogram`. */
export function addSilence(histogram: SilenceHistogram, ratio: number): void {
  const { unit } = histogram;
  histogram.counts[bucketOf(ratio)]! += unit;
  histogram.total += unit;
  histogram.unit = unit * GROWTH;
  if (histogram.unit > RESCALE_AT) rescale(histogram);
}

function rescale(histogram: SilenceHistogram): void {
  const { counts, unit } = histogram;
  for (let i = 0; i < counts.length; i++) counts[i] = counts[i]! / unit;
  histogram.total /= unit;
  histogram.unit = 1;
}

/** Number of beats the histogram stands for (faded). */
export function effectiveCount(histogram: SilenceHistogram): number {
  return histogram.total / histogram.unit;
}

/**
 * A heavy-tailed belief worth one beat, so that a silence nobody has seen yet is improbable, never impossible:
 * `P(silence > r) = (PRIOR_SCALE / r) ^ PRIOR_EXPONENT`.
 */
const PRIOR_SCALE = 1.5;
const PRIOR_EXPONENT = 3;

function priorTail(ratio: number): number {
  return ratio <= PRIOR_SCALE ? 1 : (PRIOR_SCALE / ratio) ** PRIOR_EXPONENT;
}

/** Observed weight of silences longer than `ratio`, in beats; a bucket's weight is spread evenly over its width. */
function weightAbove(histogram: SilenceHistogram, ratio: number): number {
  if (ratio >= LARGEST_RATIO) return 0;
  const bucket = bucketOf(ratio);
  const { counts } = histogram;
  let above = 0;
  for (let i = BUCKETS - 1; i > bucket; i--) above += counts[i]!;
  const low = bucket === 0 ? 0 : bucketEdge(bucket);
  const high = bucketEdge(bucket + 1);
  above += counts[bucket]! * Math.min(1, Math.max(0, (high - ratio) / (high - low)));
  return above / histogram.unit;
}

/**
 * Probability that a live node stays silent longer than `ratio` intervals: the empirical tail with one pseudo-beat of
 * the heavy-tailed prior (posterior predictive mean of a Dirichlet process). Strictly between 0 and 1, non-increasing.
 */
export function tailProbability(histogram: SilenceHistogram, ratio: number): number {
  return (weightAbove(histogram, ratio) + priorTail(ratio)) / (effectiveCount(histogram) + 1);
}

/** Smallest silence (in intervals) whose tail probability is at most `probability`; at most `maxRatio`. */
export function silenceForTail(histogram: SilenceHistogram, probability: number, maxRatio: number): number {
  let low = 0;
  let high = maxRatio;
  if (tailProbability(histogram, maxRatio) > probability) return maxRatio;
  for (let i = 0; i < 40 && high - low > 1e-6 * high; i++) {
    const middle = (low + high) / 2;
    if (tailProbability(histogram, middle) > probability) low = middle;
    else high = middle;
  }
  return high;
}
