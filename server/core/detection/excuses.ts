/**
 * Stalls: spans of time in which a node's silence says nothing about the node, because the cause is known to be elsewhere: our own
 * event loop was blocked, or a whole group fell silent together. Times are milliseconds of the receiver's monotonic clock.
 */
export type Stall = { fromMs: number; toMs: number };

export type Excuses = {
  /** Oldest first by `fromMs`; they may touch or overlap. */
  stalls: readonly Stall[];
  /** After a stall nobody is suspected for this long, so that what had queued up is drained first. */
  config: { graceMs: number };
};

/** Milliseconds of `fromMs..toMs` covered by stalls and the grace after them. */
export function excusedMs(excuses: Excuses, fromMs: number, toMs: number): number {
  let excused = 0;
  let coveredTo = fromMs;
  for (const stall of excuses.stalls) {
    const start = Math.max(stall.fromMs, coveredTo);
    const end = Math.min(stall.toMs + excuses.config.graceMs, toMs);
    if (end > start) {
      excused += end - start;
      coveredTo = end;
    }
  }
  return excused;
}

/**
 * When `silenceMs` of silence since `sinceMs` is full, not counting excused time. A stall that begins after that moment no
 * longer matters. With none: `sinceMs + silenceMs`.
 */
export function deadlineAfter(sinceMs: number, silenceMs: number, excuses: Excuses | undefined): number {
  let deadlineMs = sinceMs + silenceMs;
  if (excuses === undefined) return deadlineMs;
  let coveredTo = sinceMs;
  for (const stall of excuses.stalls) {
    if (stall.fromMs >= deadlineMs) break;
    const start = Math.max(stall.fromMs, coveredTo);
    const end = stall.toMs + excuses.config.graceMs;
    if (end > start) {
      deadlineMs += end - start;
      coveredTo = end;
    }
  }
  return deadlineMs;
}

/** Both lists as one, ordered; the longer grace of the two. */
export function mergeExcuses(a: Excuses, b: Excuses): Excuses {
  const stalls = [...a.stalls, ...b.stalls].sort((x, y) => x.fromMs - y.fromMs);
  return { stalls, config: { graceMs: Math.max(a.config.graceMs, b.config.graceMs) } };
}
