/**
 * Quality of service of a failure detector on one trace (Chen, Toueg & Aguilera 2002): the mean detection time T_D and
 * the number of mistakes, from nothing but its deadlines: after each arrival, the moment it would suspect the node.
 */
import type { Trace } from "./trace.ts";

export type Quality = {
  /** Mean time from a crash to the final suspicion, in beat intervals, over crash instants spread evenly. */
  meanDetectionIntervals: number;
  /** Transitions from trust to suspicion while the node was alive. */
  mistakes: number;
  beats: number;
};

/**
 * For each beat in send order, the arrival after which no beat sent so far is still under way. A node that crashes after
 * that send is suspected by the deadline set at that arrival.
 */
export function lastArrivalOfPrefix(trace: Trace): { sentMs: Float64Array; arrival: Int32Array } {
  const { sentMs, seq } = trace;
  const order = Array.from(sentMs.keys()).sort((a, b) => sentMs[a]! - sentMs[b]! || seq[a]! - seq[b]! || a - b);
  const arrival = new Int32Array(order.length);
  let latest = -1;
  for (let i = 0; i < order.length; i++) {
    if (order[i]! > latest) latest = order[i]!;
    arrival[i] = latest;
  }
  return { sentMs: Float64Array.from(order, (k) => sentMs[k]!), arrival };
}

/** Mean T_D over crash instants spread evenly over the trace from the beat at `from` (in send order) on. */
export function meanDetection(trace: Trace, deadlines: Float64Array, from = 0): number {
  const { sentMs, arrival } = prefixOf(trace);
  const last = sentMs.length - 1;
  let area = 0;
  for (let i = from; i < last; i++) {
    const start = sentMs[i]!;
    const end = sentMs[i + 1]!;
    const k = arrival[i]!;
    const atStart = Math.max(deadlines[k]!, trace.arrivedMs[k]!) - start;
    const atEnd = Math.max(0, atStart - (end - start));
    // The detection time falls by one millisecond a millisecond of later crash, down to zero.
    area += (atStart * atStart - atEnd * atEnd) / 2;
  }
  return area / (sentMs[last]! - sentMs[from]!) / trace.intervalMs;
}

/** Counts transitions from trust to suspicion while the node was alive, from arrival `from` on. */
export function countMistakes(trace: Trace, deadlines: Float64Array, from = 0): number {
  const { arrivedMs } = trace;
  let mistakes = 0;
  let trusted = true;
  for (let k = from; k < arrivedMs.length - 1; k++) {
    if (deadlines[k]! > arrivedMs[k]!) trusted = true;
    if (trusted && deadlines[k]! < arrivedMs[k + 1]!) {
      mistakes++;
      trusted = false;
    }
  }
  return mistakes;
}

/** Both, over the whole trace. */
export function measure(trace: Trace, deadlines: Float64Array): Quality {
  return {
    meanDetectionIntervals: meanDetection(trace, deadlines),
    mistakes: countMistakes(trace, deadlines),
    beats: trace.arrivedMs.length,
  };
}

const prefixes = new WeakMap<Trace, { sentMs: Float64Array; arrival: Int32Array }>();

function prefixOf(trace: Trace): { sentMs: Float64Array; arrival: Int32Array } {
  let prefix = prefixes.get(trace);
  if (prefix === undefined) {
    prefix = lastArrivalOfPrefix(trace);
    prefixes.set(trace, prefix);
  }
  return prefix;
}
