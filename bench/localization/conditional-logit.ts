/** One choice: what is known of each alternative, which one it was, and how much the choice counts. */
export interface Choice {
  /** One row of feature values (≥ 0) for each alternative that has any. */
  readonly rows: readonly (readonly number[])[];
  /** The row of the truth. */
  readonly truth: number;
  /** Further alternatives, all of whose features are 0. */
  readonly blank: number;
  readonly weight: number;
}

/** Strength of the pull towards equal weights of 1, per unit of total weight. */
const RIDGE = 0.03;
const STEPS = 150;
const RATE = 0.3;

/**
 * Weights that make the truth most likely under P(node) ∝ exp(weights · features), not below zero and drawn towards 1, so
 * that a family seen in few cases keeps an ordinary weight. Projected gradient descent on a convex loss; deterministic.
 * Source: McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974.
 */
export function fitConditionalLogit(choices: readonly Choice[], features: number): number[] {
  const total = choices.reduce((acc, { weight }) => acc + weight, 0);
  let weights = new Array<number>(features).fill(1);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight) => 2 * RIDGE * (weight - 1));
    for (const choice of choices) addGradient(gradient, choice, weights, choice.weight / total);
    weights = weights.map((weight, i) => Math.max(0, weight - RATE * gradient[i]!));
  }
  return weights;
}

function addGradient(
  gradient: number[],
  { rows, truth, blank }: Choice,
  weights: readonly number[],
  share: number,
): void {
  const scores = rows.map((row) => row.reduce((acc, value, i) => acc + value * weights[i]!, 0));
  const top = Math.max(0, ...scores);
  const odds = scores.map((score) => Math.exp(score - top));
  const partition = odds.reduce((acc, odd) => acc + odd, blank * Math.exp(-top));
  for (const [r, row] of rows.entries()) {
    const pull = share * (odds[r]! / partition - (r === truth ? 1 : 0));
    if (pull === 0) continue;
    for (const [i, value] of row.entries()) gradient[i]! += pull * value;
  }
}
