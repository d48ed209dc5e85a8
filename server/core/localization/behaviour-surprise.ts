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
  const tables = [...request.byCaller.values()];
  let loudest: Change | undefined;
  for (const pooled of (tables.length === 1 ? tables[0]! : merge(tables)).values()) {
    const side = chooseSides(pooled.seen, isEarly);
    if (baseline(pooled.seen, side) < MIN_BASELINE || since(pooled.seen, side) < MIN_AFTER) continue;
    const strata = stratify(tables, pooled.from, isEarly);
    for (const [to, follow] of pooled.next) {
      const surprise = Math.min(surpriseOf(pooled, pooled, to, side), stratifiedSurprise(strata, to));
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
  /**
   * The baseline is normal operation; the minutes before the stated fault time, which may hold the fault already, only
   * stand in for it.
   */
  readonly withBefore: boolean;
  readonly withLast: boolean;
}

function chooseSides(seen: Counts, isEarly: boolean): Sides {
  return { withBefore: seen[NORMAL] < MIN_BASELINE, withLast: isEarly };
}

function baseline(counts: Counts, { withBefore }: Sides): number {
  return withBefore ? counts[NORMAL] + counts[BEFORE] : counts[NORMAL];
}

function since(counts: Counts, { withLast }: Sides): number {
  return withLast ? counts[AFTER] + counts[LAST] : counts[AFTER];
}

/**
 * How surprising it is that `to` follows as often as it does: more than chance (binomial log-likelihood ratio), and against
 * what was nearly an invariant, since a rate between never and always depends on the mix of inputs.
 */
function surpriseOf(history: Transitions, now: Transitions, to: number, side: Sides): number {
  const past = history.next.get(to);
  const present = now.next.get(to);
  const hits = past ? baseline(past.seen, side) : 0;
  const trials = baseline(history.seen, side);
  const seenNow = present ? since(present.seen, side) : 0;
  const trialsNow = since(now.seen, side);
  const chance = binomialSurprise(seenNow, trialsNow, hits, trials);
  const effect = Math.abs(seenNow / trialsNow - hits / trials);
  return chance * effect * ((2 * hits) / trials - 1) ** 2;
}

/** Errors that used to follow and no longer do: something got better, which is no sign of a fault. */
function isRecovery({ seen, next }: Transitions, side: Sides, isError: ErrorTest): boolean {
  let before = 0;
  let now = 0;
  for (const [to, follow] of next) {
    if (!isError(to)) continue;
    before += baseline(follow.seen, side) / baseline(seen, side);
    now += since(follow.seen, side) / since(seen, side);
  }
  return before > now;
}

/**
 * The same counted apart for each calling operation, so that a new mix of callers is no change of this node's behaviour.
 * A caller without history enough is given the benefit of any other caller's.
 */
function stratifiedSurprise(strata: readonly Stratum[], to: number): number {
  let total = 0;
  for (const { transitions, histories, side } of strata) {
    let least = Number.POSITIVE_INFINITY;
    for (const history of histories) least = Math.min(least, surpriseOf(history, transitions, to, side));
    total += least;
  }
  return total;
}

/** What one calling operation's requests did after one step, and what to hold it against. */
interface Stratum {
  readonly transitions: Transitions;
  readonly histories: readonly Transitions[];
  readonly side: Sides;
}

/** Leaves out callers that were not seen since the fault or that have nothing to be held against. */
function stratify(tables: readonly TransitionTable[], from: number, isEarly: boolean): Stratum[] {
  const callers = tables.flatMap((table) => table.get(from) ?? []);
  const sides = callers.map(({ seen }) => chooseSides(seen, isEarly));
  const known = callers.filter(({ seen }, i) => baseline(seen, sides[i]!) >= MIN_BASELINE);
  // What a request begins with depends on who asks: only a known caller can be seen to ask for something else.
  const others = from === START ? [] : known;
  return callers.flatMap((transitions, i): Stratum[] => {
    const side = sides[i]!;
    const histories = known.includes(transitions) ? [transitions] : others;
    return histories.length > 0 && since(transitions.seen, side) > 0 ? [{ transitions, histories, side }] : [];
  });
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
  const count = since(seen, side);
  const before = baseline(follow.seen, side) / baseline(seen, side);
  const after = since(follow.seen, side) / count;
  const violations = after < before ? [...next.values()].filter((other) => other !== follow) : [follow];
  const violating = violations.reduce((total, other) => total + since(other.seen, side), 0);
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
