import type { TrendWindow } from "../../ports/traces.ts";
import type { TraceTrend } from "../../protocol/index.ts";

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
/** A little more than the widest trend of each step. */
export const minutesKeptMs = 3 * hourMs;
export const hoursKeptMs = 15 * 24 * hourMs;
/** Groups beyond this, seen longest ago, are dropped: a service that makes up a new error each time can't fill the disk. */
export const groupsKept = 10_000;

export interface TraceBuckets {
  readonly minute: number | null;
  readonly hour: number | null;
}

/**
 * The minute and the hour in which a trace counts; null where nothing is kept of so long ago. A node whose clock is ahead counts now:
 * what lies in the future would never be dropped.
 */
export function findBuckets(at: number, receivedAt: number): TraceBuckets {
  const seen = Math.min(at, receivedAt);
  return {
    minute: receivedAt - seen < minutesKeptMs ? Math.floor(seen / minuteMs) * minuteMs : null,
    hour: receivedAt - seen < hoursKeptMs ? Math.floor(seen / hourMs) * hourMs : null,
  };
}

/** Counts per step as bars. */
export function fillTrend(
  window: TrendWindow,
  counts: Iterable<{ readonly at: number; readonly count: number }>,
): TraceTrend {
  const bars = new Array<number>(window.bars).fill(0);
  for (const { at, count } of counts) {
    const bar = Math.floor((at - window.fromMs) / window.barMs);
    if (bar >= 0 && bar < bars.length) bars[bar] = (bars[bar] ?? 0) + count;
  }
  return { fromMs: window.fromMs, stepMs: window.barMs, counts: bars };
}
