/** A ranked node; equal scores are tied. */
export interface Ranked {
  readonly node: string;
  readonly score: number;
}

/**
 * Expected top-k recall of one case under random tie-breaking: with `b` nodes strictly better and `m` tied, the truth
 * included, `clamp((k - b) / m, 0, 1)`. A node that was not returned scores 0.
 */
export function accuracyAt(k: number, ranking: readonly Ranked[], truth: string): number {
  const found = ranking.find(({ node }) => node === truth);
  if (found === undefined) return 0;
  const better = ranking.filter(({ score }) => score > found.score).length;
  const tied = ranking.filter(({ score }) => score === found.score).length;
  return Math.min(1, Math.max(0, (k - better) / tied));
}

export interface Accuracy {
  readonly ac1: number;
  readonly ac3: number;
  readonly avg5: number;
}

export interface Judged {
  readonly ranking: readonly Ranked[];
  readonly truth: string;
}

/** Mean accuracy over cases; NaN when there are none. */
export function summarize(cases: readonly Judged[]): Accuracy {
  const at = [1, 2, 3, 4, 5].map((k) => average(cases.map(({ ranking, truth }) => accuracyAt(k, ranking, truth))));
  return { ac1: at[0]!, ac3: at[2]!, avg5: average(at) };
}

/** Macro average: every set counts the same, whatever its size. */
export function macro(sets: readonly Accuracy[]): Accuracy {
  return {
    ac1: average(sets.map(({ ac1 }) => ac1)),
    ac3: average(sets.map(({ ac3 }) => ac3)),
    avg5: average(sets.map(({ avg5 }) => avg5)),
  };
}

export function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
