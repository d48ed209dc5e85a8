/**
 * The chance of an event at each of 64 phases, when most phases may or may not differ: the Bayesian average over all ways
 * to cut the phases into dyadic blocks of equal chance (context-tree weighting: Willems, Shtarkov & Tjalkens 1995), with
 * gamma-Poisson blocks. Without evidence that a cut helps it answers the overall chance; there is nothing to tune.
 */

/** Number of phases; a power of two. */
export const LEAVES = 64;

/** A block's prior is worth this many events at the overall chance. */
const PRIOR_EVENTS = 1;
/** Prior probability that a block is not cut further. */
const KEEP_WHOLE = 0.5;
const HIGHEST_CHANCE = 0.9;

export type HazardEstimate = {
  /** Chance of an event at the asked phase, 0..0.9. */
  chance: number;
  /** log of (evidence of the average over all cuts / evidence of the uncut model). */
  logEvidence: number;
};

// Scratch of `dyadicHazard`, overwritten by each call; nothing is kept between calls.
const events = new Float64Array(2 * LEAVES);
const exposure = new Float64Array(2 * LEAVES);
const logWeight = new Float64Array(2 * LEAVES);
const keepWeight = new Float64Array(2 * LEAVES);

const HALF_LOG_TWO_PI = 0.9189385332046727;

/** log Γ(1 + n) for n ≥ 0 (Stirling after shifting), relative error below 1e-8. */
export function logFactorial(n: number): number {
  if (n === 0) return 0;
  let z = 1 + n;
  let product = 1;
  while (z < 8) {
    product *= z;
    z += 1;
  }
  return (z - 0.5) * Math.log(z) - z + HALF_LOG_TWO_PI + 1 / (12 * z) - 1 / (360 * z ** 3) - Math.log(product);
}

/**
 * @param eventCounts events seen at each phase (`LEAVES` numbers ≥ 0)
 * @param exposureCounts beats spent at each phase (`LEAVES` numbers ≥ 0)
 * @param leaf the phase asked about
 * @param overall the overall chance of an event, > 0
 */
export function dyadicHazard(
  eventCounts: readonly number[],
  exposureCounts: readonly number[],
  leaf: number,
  overall: number,
): HazardEstimate {
  for (let i = 0; i < LEAVES; i++) {
    events[LEAVES + i] = eventCounts[i]!;
    exposure[LEAVES + i] = exposureCounts[i]!;
  }
  const priorBeats = PRIOR_EVENTS / overall;
  for (let i = 2 * LEAVES - 1; i >= 1; i--) weighBlock(i, priorBeats);
  let i = LEAVES + leaf;
  let chance = (PRIOR_EVENTS + events[i]!) / (priorBeats + exposure[i]!);
  for (i >>= 1; i >= 1; i >>= 1) {
    const whole = (PRIOR_EVENTS + events[i]!) / (priorBeats + exposure[i]!);
    chance = keepWeight[i]! * whole + (1 - keepWeight[i]!) * chance;
  }
  return { chance: Math.min(HIGHEST_CHANCE, chance), logEvidence: logWeight[1]! - logEvidenceWhole(1, priorBeats) };
}

/** Evidence of one block of equal chance (gamma-Poisson marginal likelihood, PRIOR_EVENTS = 1). */
function logEvidenceWhole(i: number, priorBeats: number): number {
  if (exposure[i] === 0) return 0;
  const n = events[i]!;
  return Math.log(priorBeats) - (PRIOR_EVENTS + n) * Math.log(priorBeats + exposure[i]!) + logFactorial(n);
}

function weighBlock(i: number, priorBeats: number): void {
  const left = 2 * i;
  if (i < LEAVES) {
    events[i] = events[left]! + events[left + 1]!;
    exposure[i] = exposure[left]! + exposure[left + 1]!;
  }
  const whole = logEvidenceWhole(i, priorBeats);
  if (i >= LEAVES || exposure[i] === 0) {
    logWeight[i] = whole;
    keepWeight[i] = 1;
    return;
  }
  const cut = logWeight[left]! + logWeight[left + 1]!;
  const top = Math.max(whole, cut);
  const sum = top + Math.log(KEEP_WHOLE * Math.exp(whole - top) + (1 - KEEP_WHOLE) * Math.exp(cut - top));
  logWeight[i] = sum;
  keepWeight[i] = KEEP_WHOLE * Math.exp(whole - sum);
}
