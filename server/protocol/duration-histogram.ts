/**
 * A histogram of durations whose buckets grow by the fourth root of two: two of them add up, and a quantile is right within 10 %.
 * Bucket `i` holds durations up to `bucketEndMs(i)`; the first begins at zero and ends at 0.1 ms, the last holds all that is longer.
 */
export const durationBuckets = 84;
const firstEndMs = 0.1;
const perOctave = 4;

export function durationBucket(durationMs: number): number {
  if (!(durationMs > firstEndMs)) return 0;
  return Math.min(durationBuckets - 1, Math.ceil(Math.log2(durationMs / firstEndMs) * perOctave));
}

export function bucketEndMs(bucket: number): number {
  return firstEndMs * 2 ** (bucket / perOctave);
}

/** The duration below which the share `q` lies (the middle of its bucket, on the logarithmic scale); null without values. */
export function histogramQuantileMs(counts: ArrayLike<number>, q: number): number | null {
  let total = 0;
  for (let bucket = 0; bucket < counts.length; bucket += 1) total += counts[bucket] ?? 0;
  if (total === 0) return null;
  let left = q * total;
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    left -= counts[bucket] ?? 0;
    if (left <= 0) return bucketEndMs(bucket - 0.5);
  }
  return bucketEndMs(counts.length - 0.5);
}

/** Pairs of bucket and count, as frames carry them. */
export function toSparse(counts: ArrayLike<number>): number[] {
  const pairs: number[] = [];
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket] ?? 0;
    if (count > 0) pairs.push(bucket, count);
  }
  return pairs;
}

export function addSparse(counts: Uint32Array, pairs: readonly number[]): void {
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const bucket = pairs[i] as number;
    if (bucket < counts.length) counts[bucket] = (counts[bucket] as number) + (pairs[i + 1] as number);
  }
}
