/**
 * The published failure detectors, as deadlines after each arrival. Each has one parameter that is swept; everything else
 * is the published default (windows of 1,000 beats). All read a monotonic receiver clock, as the product does.
 */
import type { Trace } from "./trace.ts";

/** A detector prepared for one trace: the parameter gives the deadline after each arrival, monotone in the parameter. */
export type Sweep = (parameter: number) => Float64Array;
export type Formula = { name: string; prepare: (trace: Trace) => Sweep };

const WINDOW = 1000;
/** Akka's `min-std-deviation` is 100 ms for beats of one second. */
const AKKA_MIN_DEVIATION = 0.1;

/** Running mean and deviation of the last `WINDOW` gaps between arrivals, after each arrival. */
function gapStatistics(trace: Trace): { mean: Float64Array; deviation: Float64Array } {
  const { arrivedMs, intervalMs } = trace;
  const n = arrivedMs.length;
  const mean = new Float64Array(n);
  const deviation = new Float64Array(n);
  let sum = 0;
  let squares = 0;
  const gap = (k: number) => arrivedMs[k]! - arrivedMs[k - 1]! - intervalMs;
  for (let k = 0; k < n; k++) {
    if (k > 0) {
      sum += gap(k);
      squares += gap(k) ** 2;
    }
    if (k > WINDOW) {
      sum -= gap(k - WINDOW);
      squares -= gap(k - WINDOW) ** 2;
    }
    const count = Math.max(1, Math.min(k, WINDOW));
    const m = sum / count;
    mean[k] = intervalMs + m;
    deviation[k] = k === 0 ? intervalMs / 4 : Math.sqrt(Math.max(0, squares / count - m * m));
  }
  return { mean, deviation };
}

/** Chen's expected arrival of the next beat from a window of `window` beats, after each arrival. */
function expectedArrival(trace: Trace, window: number): Float64Array {
  const { arrivedMs, seq, intervalMs } = trace;
  const n = arrivedMs.length;
  const expected = new Float64Array(n);
  const shifted = new Float64Array(n);
  let sum = 0;
  let highest = -1;
  let fresh = 0;
  for (let k = 0; k < n; k++) {
    if (seq[k]! > highest) {
      highest = seq[k]!;
      shifted[fresh] = arrivedMs[k]! - intervalMs * seq[k]!;
      sum += shifted[fresh]!;
      if (fresh >= window) sum -= shifted[fresh - window]!;
      fresh++;
    }
    expected[k] = sum / Math.min(fresh, window) + intervalMs * (highest + 1);
  }
  return expected;
}

const fixed: Formula = {
  name: "fixed timeout",
  prepare:
    ({ arrivedMs, intervalMs }) =>
    (p) =>
      arrivedMs.map((at) => at + p * intervalMs),
};

/** Hayashibara et al. 2004 as in Akka: normal gaps, so a level of phi is a number of deviations above the mean. */
const phiAkka: Formula = {
  name: "phi (Akka)",
  prepare: (trace) => {
    const { mean, deviation } = gapStatistics(trace);
    const floor = AKKA_MIN_DEVIATION * trace.intervalMs;
    return (p) => trace.arrivedMs.map((at, k) => at + mean[k]! + p * Math.max(floor, deviation[k]!));
  },
};

/** Cassandra's phi: exponential gaps, so a level of phi is a multiple of the mean gap. */
const phiCassandra: Formula = {
  name: "phi (Cassandra)",
  prepare: (trace) => {
    const { mean } = gapStatistics(trace);
    return (p) => trace.arrivedMs.map((at, k) => at + p * mean[k]!);
  },
};

/** Chen, Toueg & Aguilera 2002, NFD-E: expected arrival plus a constant margin. */
const chen: Formula = {
  name: "Chen",
  prepare: (trace) => {
    const expected = expectedArrival(trace, WINDOW);
    return (p) => expected.map((at) => at + p * trace.intervalMs);
  },
};

/** Tomsic, Sens, Garcia, Arantes & Sopena 2015, 2W-FD: the later of a short and a long window's expected arrival. */
const twoWindow: Formula = {
  name: "2W-FD",
  prepare: (trace) => {
    const short = expectedArrival(trace, 1);
    const long = expectedArrival(trace, WINDOW);
    return (p) => short.map((at, k) => Math.max(at, long[k]!) + p * trace.intervalMs);
  },
};

/** Bertier, Marin & Sens 2002: Chen's expected arrival with Jacobson's margin; the weight of the variance is swept. */
const bertier: Formula = {
  name: "Bertier",
  prepare: (trace) => {
    const expected = expectedArrival(trace, WINDOW);
    const margin = new Float64Array(expected.length);
    const { intervalMs, arrivedMs } = trace;
    let delay = 0;
    let variance = intervalMs / 4;
    for (let k = 1; k < expected.length; k++) {
      const error = arrivedMs[k]! - expected[k - 1]! - delay;
      delay += 0.1 * error;
      variance += 0.1 * (Math.abs(error) - variance);
      margin[k] = variance;
    }
    return (p) => expected.map((at, k) => at + p * Math.max(margin[k]!, 0.01 * intervalMs));
  },
};

export const FORMULAS: readonly Formula[] = [fixed, phiAkka, phiCassandra, twoWindow, chen, bertier];
