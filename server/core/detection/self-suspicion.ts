/**
 * Suspect yourself first: a server whose event loop was blocked hears nobody, so silence during its own stall says nothing
 * about the nodes. A short timer notices the stall afterwards by the gap between its ticks (as jHiccup does; the reason is
 * that of "Lifeguard", Dadgar, Phillips & Currey 2018), and a grace lets queued beats be drained before anybody is suspected.
 *
 * Plain data and pure functions; every time is milliseconds of the receiver's monotonic clock.
 */
import type { Stall } from "./excuses.ts";

export type { Stall } from "./excuses.ts";
export { DEFAULT_SIBLING_RULE, judgeSiblings, type SiblingRule, type SiblingVerdict } from "./siblings.ts";

export type StallConfig = {
  /** How often the shell calls `recordTick`, milliseconds. */
  tickMs: number;
  /** A tick later than this is a stall, milliseconds. */
  toleranceMs: number;
  /** After a stall nobody is suspected for this long, milliseconds. */
  graceMs: number;
};

export const DEFAULT_STALL_CONFIG: StallConfig = { tickMs: 50, toleranceMs: 50, graceMs: 250 };

/** An `Excuses` list that fills itself from ticks. */
export type StallLog = {
  config: StallConfig;
  lastTickMs: number | null;
  /** The newest stalls, oldest first, at most `MAX_STALLS`. */
  stalls: Stall[];
};

/** A stall older than the longest silence anybody judges is of no use. */
export const MAX_STALLS = 32;

export function createStallLog(config: StallConfig = DEFAULT_STALL_CONFIG): StallLog {
  return { config, lastTickMs: null, stalls: [] };
}

/**
 * Call from a repeating timer and before each batch of arrivals. A gap between calls longer than `tickMs + toleranceMs` is
 * a stall of ours. Mutates and returns `log`.
 */
export function recordTick(log: StallLog, nowMs: number): StallLog {
  const { lastTickMs, config } = log;
  if (lastTickMs !== null && nowMs - lastTickMs > config.tickMs + config.toleranceMs) {
    recordStall(log, { fromMs: lastTickMs, toMs: nowMs });
  }
  if (lastTickMs === null || nowMs > lastTickMs) log.lastTickMs = nowMs;
  return log;
}

/** Records a stall learned by other means (an event-loop delay monitor, SIGCONT). Mutates and returns `log`. */
export function recordStall(log: StallLog, stall: Stall): StallLog {
  if (!(stall.toMs > stall.fromMs)) return log;
  log.stalls.push({ fromMs: stall.fromMs, toMs: stall.toMs });
  if (log.stalls.length > MAX_STALLS) log.stalls.shift();
  return log;
}
