import { AFTER, LAST, NODE_LIMIT, NORMAL, type SpanIndex } from "./span-index.ts";
import { quantileOfSorted } from "./statistics.ts";

/** Time that one kind of span spent outside its children, in microseconds, by period; each list ascending. */
export interface Durations {
  readonly node: number;
  /** The other end of a call, or -1 for time the node spent itself. */
  readonly peer: number;
  readonly op: number;
  /** Normal operation, or the time before the fault when there is too little of it. */
  readonly before: Float64Array;
  /** The last sampling period before the stated fault time. */
  readonly last: Float64Array;
  readonly after: Float64Array;
}

/** Fewer samples than this on either side say nothing. */
export const MIN_SPANS = 3;
const MIN_AFTER = 2;

interface Group {
  readonly node: number;
  readonly peer: number;
  readonly op: number;
  readonly byPeriod: readonly [number[], number[], number[], number[]];
}

/** Groups all spans by node, operation and callee. A call is a span whose only child is on another node. */
export function collectDurations(indexes: readonly SpanIndex[]): Durations[] {
  const groups = new Map<number, Group>();
  for (const { table, childUs, onlyChild, opId, period } of indexes) {
    for (let row = 0; row < table.op.length; row++) {
      const node = table.node[row]!;
      const ownUs = table.durationUs[row]! - childUs[row]!;
      if (node < 0 || ownUs < 0) continue;
      const child = onlyChild[row]!;
      const peer = child < 0 || table.node[child] === node ? -1 : table.node[child]!;
      const op = opId[table.op[row]!]!;
      const key = (op * NODE_LIMIT + node) * NODE_LIMIT + peer + 1;
      let group = groups.get(key);
      if (!group) {
        group = { node, peer, op, byPeriod: [[], [], [], []] };
        groups.set(key, group);
      }
      group.byPeriod[period[row]!]!.push(ownUs);
    }
  }
  const list = [...groups.values()];
  const anyCall = sorted(list.flatMap(({ peer, byPeriod }) => (peer < 0 ? [] : byPeriod[NORMAL])));
  return list.map(({ node, peer, op, byPeriod }) => {
    const before = referenceOf(byPeriod, peer < 0 ? undefined : anyCall);
    return { node, peer, op, before, last: sorted(byPeriod[LAST]), after: sorted(byPeriod[AFTER]) };
  });
}

/**
 * What to hold a group against. The minutes before the stated fault time may already hold the fault: normal operation is the
 * better witness. A call too rare to have a history is held against the system's other calls.
 */
function referenceOf([normal, before]: Group["byPeriod"], others: Float64Array | undefined): Float64Array {
  if (normal.length >= MIN_SPANS) return sorted(normal);
  const own = [...normal, ...before];
  return own.length >= MIN_SPANS || others === undefined ? sorted(own) : others;
}

/** How much longer the typical span took, and over how many; `undefined` when either side is too small. */
export interface Shift {
  readonly us: number;
  readonly spans: number;
  readonly beforeUs: number;
  readonly afterUs: number;
}

/**
 * The shift of the interquartile mean, less twice its standard error on both sides: rare calls can claim little. With
 * `isEarly` the last period before the stated fault time counts as after.
 */
export function measureShift({ before, last, after: late }: Durations, isEarly: boolean): Shift | undefined {
  const after = isEarly && last.length > 0 ? sorted([...last, ...late]) : late;
  if (before.length < MIN_SPANS || after.length < MIN_AFTER) return undefined;
  const error = Math.hypot(standardError(before), standardError(after));
  const us = Math.max(0, interquartileMean(after) - interquartileMean(before) - 2 * error);
  return { us, spans: after.length, beforeUs: quantileOfSorted(before, 0.5), afterUs: quantileOfSorted(after, 0.5) };
}

function sorted(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

function interquartileMean(ascending: Float64Array): number {
  const drop = ascending.length >> 2;
  let total = 0;
  for (let i = drop; i < ascending.length - drop; i++) total += ascending[i]!;
  return total / (ascending.length - 2 * drop);
}

/** From the interquartile range, which is 1.35 standard deviations of a normal distribution. */
function standardError(ascending: Float64Array): number {
  const spread = (quantileOfSorted(ascending, 0.75) - quantileOfSorted(ascending, 0.25)) / 1.35;
  return spread / Math.sqrt(ascending.length);
}
