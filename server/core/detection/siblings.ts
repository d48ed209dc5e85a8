/**
 * When a large share of a group falls silent together, a common cause (a link, a region, the observer) is likelier than so
 * many crashes at once: single verdicts wait, and the group is judged as one incident. Bounded: a group that stays silent is
 * released after `maxHoldMs`.
 *
 * Plain data and pure functions; every time is milliseconds of the receiver's monotonic clock.
 */
import type { Stall } from "./excuses.ts";

export type SiblingRule = {
  /** At least this many nodes of the group silent together. */
  minSilent: number;
  /** At least this share of the group, 0..1. */
  minShare: number;
};

export type GroupConfig = SiblingRule & {
  /** A hold ends by itself after this long, milliseconds. */
  maxHoldMs: number;
  /** After a hold nobody of the group is suspected for this long, milliseconds. */
  graceMs: number;
};

export const DEFAULT_SIBLING_RULE: SiblingRule = { minSilent: 3, minShare: 0.3 };

/** For beats of one second; scale the times with the interval. */
export const DEFAULT_GROUP_CONFIG: GroupConfig = { ...DEFAULT_SIBLING_RULE, maxHoldMs: 30_000, graceMs: 1_000 };

/** An `Excuses` list of the group's common silences. */
export type GroupLog = {
  config: GroupConfig;
  /** The newest holds, oldest first; while one is running it ends at its latest possible moment. */
  stalls: Stall[];
  /** True while a hold is running. */
  holding: boolean;
  /** True once a hold ran into its bound, until the group recovers: no further hold meanwhile. */
  exhausted: boolean;
};

export const MAX_HOLDS = 32;

export function createGroupLog(config: GroupConfig = DEFAULT_GROUP_CONFIG): GroupLog {
  return { config, stalls: [], holding: false, exhausted: false };
}

export type SiblingVerdict = {
  /** Single verdicts should wait. */
  hold: boolean;
  silent: number;
  total: number;
  /** Share of the group that is silent, 0..1. */
  share: number;
};

/** Is so much of the group silent (the suspected node included) that single verdicts should wait? */
export function judgeSiblings(silent: number, total: number, rule: SiblingRule = DEFAULT_SIBLING_RULE): SiblingVerdict {
  const share = total > 0 ? silent / total : 0;
  return { hold: silent >= rule.minSilent && share >= rule.minShare, silent, total, share };
}

/** Call when the number of overdue nodes (`isOverdue`) changes, and before a node of the group is suspected. Mutates and returns `log`. */
export function recordGroup(log: GroupLog, nowMs: number, silent: number, total: number): GroupLog {
  const { hold } = judgeSiblings(silent, total, log.config);
  const newest = log.stalls.at(-1);
  if (log.holding && newest !== undefined && nowMs >= newest.toMs) {
    log.holding = false;
    log.exhausted = true;
  }
  if (!hold) {
    if (log.holding && newest !== undefined) newest.toMs = nowMs;
    log.holding = false;
    log.exhausted = false;
  } else if (!log.holding && !log.exhausted) {
    log.stalls.push({ fromMs: nowMs, toMs: nowMs + log.config.maxHoldMs });
    if (log.stalls.length > MAX_HOLDS) log.stalls.shift();
    log.holding = true;
  }
  return log;
}
