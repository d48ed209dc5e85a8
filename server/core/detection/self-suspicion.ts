/**
 * Suspect yourself first.
 *
 * 1. Own stalls. A server whose event loop was blocked hears nobody; silence during its own stall says nothing about the
 *    nodes. A short timer notices the stall afterwards by the gap between its ticks (the idea of memberlist's
 *    "awareness", Dadgar, Phillips & Currey 2018, "Lifeguard", and of jHiccup), and a grace lets queued beats drain.
 * 2. Siblings. When a large share of a group falls silent together, the common cause (a link, a region, ourselves) is
 *    likelier than that many crashes: hold single verdicts and let the group be judged as one incident.
 *
 * Plain data and pure functions; every time is milliseconds of the receiver's monotonic clock.
 */

export type StallConfig = {
  /** How often the shell calls `recordTick`, milliseconds. */
  tickMs: number;
  /** A tick this late is a stall, milliseconds. */
  toleranceMs: number;
  /** After a stall nobody is suspected for this long: queued beats are drained first, milliseconds. */
  graceMs: number;
};

export const DEFAULT_STALL_CONFIG: StallConfig = { tickMs: 50, toleranceMs: 50, graceMs: 250 };

export type Stall = { fromMs: number; toMs: number };

export type StallLog = {
  config: StallConfig;
  lastTickMs: number | null;
  /** The newest stalls, oldest first, at most `MAX_STALLS`. */
  stalls: Stall[];
};

/** A stall older than the longest silence anybody judges is of no use. */
const MAX_STALLS = 32;

export function createStallLog(config: StallConfig = DEFAULT_STALL_CONFIG): StallLog {
  return { config, lastTickMs: null, stalls: [] };
}

/**
 * Call from a repeating timer and, ideally, before each batch of arrivals. A gap between calls longer than
 * `tickMs + toleranceMs` is a stall of ours. Mutates and returns `log`.
 */
export function recordTick(log: StallLog, nowMs: number): StallLog {
  const { lastTickMs, config } = log;
  if (lastTickMs !== null && nowMs - lastTickMs > config.tickMs + config.toleranceMs) {
    recordStall(log, { fromMs: lastTickMs, toMs: nowMs });
  }
  if (lastTickMs === null || nowMs > lastTickMs) log.lastTickMs = nowMs;
  return log;
}

/** Records a stall learned by other means (an event-loop delay histogram, a debugger, SIGCONT). Mutates and returns `log`. */
export function recordStall(log: StallLog, stall: Stall): StallLog {
  if (!(stall.toMs > stall.fromMs)) return log;
  log.stalls.push({ fromMs: stall.fromMs, toMs: stall.toMs });
  if (log.stalls.length > MAX_STALLS) log.stalls.shift();
  return log;
}

/** Milliseconds of `fromMs..toMs` during which we ourselves were stalled or still draining what had queued up. */
export function excusedMs(log: StallLog, fromMs: number, toMs: number): number {
  let excused = 0;
  let coveredTo = fromMs;
  for (const stall of log.stalls) {
    const start = Math.max(stall.fromMs, coveredTo);
    const end = Math.min(stall.toMs + log.config.graceMs, toMs);
    if (end > start) {
      excused += end - start;
      coveredTo = end;
    }
  }
  return excused;
}

/** When the grace after the newest stall ends, or −Infinity: before that nobody may be suspected. */
export function graceEndsMs(log: StallLog): number {
  const newest = log.stalls.at(-1);
  return newest === undefined ? Number.NEGATIVE_INFINITY : newest.toMs + log.config.graceMs;
}

export type SiblingRule = {
  /** At least this many nodes of the group silent together. */
  minSilent: number;
  /** At least this share of the group, 0..1. */
  minShare: number;
};

export const DEFAULT_SIBLING_RULE: SiblingRule = { minSilent: 3, minShare: 0.3 };

/** One node of the group as the rule sees it. */
export type SiblingView = { silenceMs: number; overdueMs: number };

export type SiblingVerdict = { hold: boolean; silent: number; total: number; share: number };

/**
 * Should single verdicts be held because a large share of the group is overdue at the same moment?
 * `overdue` counts the nodes (the suspected one included) past an early threshold, `total` all watched nodes of the group.
 * Never holds for ever: the caller gives the group its own verdict once the silence passes the maximum.
 */
export function judgeSiblings(
  overdue: number,
  total: number,
  rule: SiblingRule = DEFAULT_SIBLING_RULE,
): SiblingVerdict {
  const share = total > 0 ? overdue / total : 0;
  return { hold: overdue >= rule.minSilent && share >= rule.minShare, silent: overdue, total, share };
}
