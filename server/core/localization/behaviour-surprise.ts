import { AFTER, BEFORE, LAST, NORMAL } from "./span-index.ts";
import { binomialSurprise } from "./statistics.ts";
import {
  type Counts,
  END,
  type Follow,
  type RequestKind,
  START,
  type Transitions,
  type TransitionTable,
} from "./transitions.ts";

/** A step that no longer follows another, or newly does, in one kind of request. */
export interface Change {
  readonly request: RequestKind;
  readonly from: number;
  readonly to: number;
  /** Share of requests, 0..1. */
  readonly before: number;
  readonly after: number;
  readonly count: number;
  readonly surprise: number;
  /** Of the surprise, the part seen right after a call, by callee: its answer may be what changed. */
  readonly afterCall: ReadonlyMap<number, number>;
}

/** Tells whether a step is the report of an error. */
export type ErrorTest = (step: number) => boolean;

const MIN_BASELINE = 3;
const MIN_AFTER = 2;

/**
 * The loudest change in one kind of request. With `isEarly` the last period before the stated fault time counts as after.
 */
export function loudestChange(request: RequestKind, isEarly: boolean, isError: ErrorTest): Change | undefined {
  const strata = [...request.byCaller.values()];
  let loudest: Change | undefined;
  for (const pooled of (strata.length === 1 ? strata[0]! : merge(strata)).values()) {
    const side = chooseSides(pooled.seen, isEarly);
    if (side.base(pooled.seen) < MIN_BASELINE || side.after(pooled.seen) < MIN_AFTER) continue;
    const callers = strata.flatMap((table) => table.get(pooled.from) ?? []);
    for (const [to, follow] of pooled.next) {
      const surprise = Math.min(surpriseOf(pooled, pooled, to, side), stratifiedSurprise(callers, to, isEarly));
      if (surprise === 0 || !isLouder(surprise, to, loudest) || isRecovery(pooled, side, isError)) continue;
      loudest = toChange(request, pooled, to, follow, surprise, side, isEarly);
    }
  }
  return loudest;
}

/** At equal surprise a named step says more than that the request ends where it was: two sides of one change. */
function isLouder(surprise: number, to: number, loudest: Change | undefined): boolean {
  const heard = (value: number, step: number): number => (step === END ? 0.99 * value : value);
  return loudest === undefined || heard(surprise, to) > heard(loudest.surprise, loudest.to);
}

/** Which periods stand for before and after. */
interface Sides {
  readonly base: (counts: Counts) => number;
  readonly after: (counts: Counts) => number;
}

/**
 * The baseline is normal operation; the minutes before the stated fault time, which may hold the fault already, only stand
 * in for it.
 */
function chooseSides(seen: Counts, isEarly: boolean): Sides {
  const withBefore = seen[NORMAL] < MIN_BASELINE;
  return {
    base: (counts) => counts[NORMAL] + (withBefore ? counts[BEFORE] : 0),
    after: (counts) => counts[AFTER] + (isEarly ? counts[LAST] : 0),
  };
}

/**
 * How surprising it is that `to` follows as often as it does: more than chance (binomial log-likelihood ratio), and against
 * what was nearly an invariant, since a rate between never and always depends on the mix of inputs.
 */
function surpriseOf(history: Transitions, now: Transitions, to: number, { base, after }: Sides): number {
  const past = history.next.get(to);
  const present = now.next.get(to);
  const hits = past ? base(past.seen) : 0;
  const trials = base(history.seen);
  const chance = binomialSurprise(present ? after(present.seen) : 0, after(now.seen), hits, trials);
  return chance * ((2 * hits) / trials - 1) ** 2;
}

/** Errors that used to follow and no longer do: something got better, which is no sign of a fault. */
function isRecovery({ seen, next }: Transitions, { base, after }: Sides, isError: ErrorTest): boolean {
  let before = 0;
  let now = 0;
  for (const [to, follow] of next) {
    if (!isError(to)) continue;
    before += base(follow.seen) / base(seen);
    now += after(follow.seen) / after(seen);
  }
  return before > now;
}

/**
 * The same counted apart for each calling operation, so that a new mix of callers is no change of this node's behaviour.
 * A caller without history enough is given the benefit of any other caller's.
 */
function stratifiedSurprise(callers: readonly Transitions[], to: number, isEarly: boolean): number {
  const isKnown = (stratum: Transitions): boolean =>
    chooseSides(stratum.seen, isEarly).base(stratum.seen) >= MIN_BASELINE;
  const known = callers.filter(isKnown);
  let total = 0;
  for (const stratum of callers) {
    const side = chooseSides(stratum.seen, isEarly);
    // What a request begins with depends on who asks: only a known caller can be seen to ask for something else.
    if (side.after(stratum.seen) === 0 || (stratum.from === START && !isKnown(stratum))) continue;
    const histories = isKnown(stratum) ? [stratum] : known;
    if (histories.length > 0) total += Math.min(...histories.map((history) => surpriseOf(history, stratum, to, side)));
  }
  return total;
}

function toChange(
  request: RequestKind,
  { from, seen, next }: Transitions,
  to: number,
  follow: Follow,
  surprise: number,
  side: Sides,
  isEarly: boolean,
): Change {
  const count = side.after(seen);
  const before = side.base(follow.seen) / side.base(seen);
  const after = side.after(follow.seen) / count;
  const violations = after < before ? [...next.values()].filter((other) => other !== follow) : [follow];
  const violating = violations.reduce((total, other) => total + side.after(other.seen), 0);
  const afterCall = shareByCallee(violations, surprise / violating, isEarly);
  return { request, from, to, before, after, count, surprise, afterCall };
}

function shareByCallee(violations: readonly Follow[], each: number, isEarly: boolean): Map<number, number> {
  const parts = new Map<number, number>();
  for (const { calledLast, calledAfter } of violations) {
    addAll(parts, calledAfter, each);
    if (isEarly) addAll(parts, calledLast, each);
  }
  return parts;
}

function merge(tables: readonly TransitionTable[]): TransitionTable {
  const merged: TransitionTable = new Map();
  for (const table of tables) {
    for (const { from, seen, next } of table.values()) {
      const into = merged.get(from) ?? { from, seen: [0, 0, 0, 0], next: new Map<number, Follow>() };
      merged.set(from, into);
      addCounts(into.seen, seen);
      for (const [to, follow] of next) {
        const sum = into.next.get(to) ?? { seen: [0, 0, 0, 0], calledLast: new Map(), calledAfter: new Map() };
        into.next.set(to, sum);
        addCounts(sum.seen, follow.seen);
        addAll(sum.calledLast, follow.calledLast, 1);
        addAll(sum.calledAfter, follow.calledAfter, 1);
      }
    }
  }
  return merged;
}

function addCounts(into: Counts, counts: Counts): void {
  for (let period = 0; period < counts.length; period++) into[period]! += counts[period]!;
}

function addAll(into: Map<number, number>, from: ReadonlyMap<number, number>, factor: number): void {
  for (const [key, amount] of from) into.set(key, (into.get(key) ?? 0) + amount * factor);
}
