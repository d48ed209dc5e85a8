/** Order statistics and counts used by every kind of evidence. All functions are pure and never mutate their input. */

/** Linear-interpolation quantile (Hyndman & Fan type 7) of unsorted values; `NaN` when empty. */
export function quantile(values: ArrayLike<number>, q: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), q);
}

/** The same on values already ascending. */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  const last = sorted.length - 1;
  if (last < 0) return Number.NaN;
  const at = q * last;
  const low = Math.floor(at);
  const lower = sorted[low]!;
  const upper = sorted[Math.min(low + 1, last)]!;
  return lower + (upper - lower) * (at - low);
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

export function mean(values: ArrayLike<number>): number {
  return values.length === 0 ? Number.NaN : sum(values) / values.length;
}

/** Mean after dropping the share `trim` of the values at each end; `NaN` when empty. */
export function trimmedMean(values: ArrayLike<number>, trim: number): number {
  const sorted = Float64Array.from(values).sort();
  const drop = Math.floor(sorted.length * trim);
  return mean(sorted.subarray(drop, sorted.length - drop));
}

/** The statistic over each consecutive window of `length` values, or of a quarter of them when that is shorter. */
export function overWindows(
  values: readonly number[],
  length: number,
  statistic: (window: readonly number[]) => number,
): number[] {
  const size = Math.max(1, Math.min(length, values.length >> 2));
  const results: number[] = [];
  for (let start = 0; start + size <= values.length; start += size)
    results.push(statistic(values.slice(start, start + size)));
  return results;
}

/**
 * Signed-root-free log-likelihood ratio (G²) of two binomial samples: how surprising it is, in nats ×2, that `a` of `n`
 * and `b` of `m` share one rate. Bounded by the sample size, unlike a z-score on a near-zero spread.
 * Source: Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence", 1993.
 */
export function binomialSurprise(a: number, n: number, b: number, m: number): number {
  if (n === 0 || m === 0) return 0;
  const pooled = (a + b) / (n + m);
  return (
    2 *
    (logLikelihood(a, n, a / n) +
      logLikelihood(b, m, b / m) -
      logLikelihood(a, n, pooled) -
      logLikelihood(b, m, pooled))
  );
}

function logLikelihood(hits: number, trials: number, rate: number): number {
  const won = hits === 0 ? 0 : hits * Math.log(rate);
  const lost = hits === trials ? 0 : (trials - hits) * Math.log(1 - rate);
  return won + lost;
}
