/**
 * Spans of time in which a node's silence says nothing about the node, because the cause is known to be elsewhere: our own
 * event loop was blocked, or a whole group fell silent together. Times are milliseconds of the receiver's monotonic clock.
 */
export type Excuse = { fromMs: number; toMs: number };

export type Excuses = {
  /** Oldest first by `fromMs`; they may touch or overlap. */
  spans: readonly Excuse[];
  /** After a span nobody is suspected for this long, so that what had queued up is drained first. */
  graceMs: number;
};

/** Milliseconds of `fromMs..toMs` covered by spans and the grace after them. */
export function excusedMs(excuses: Excuses, fromMs: number, toMs: number): number {
  let excused = 0;
  let coveredTo = fromMs;
  for (const span of excuses.spans) {
    const start = Math.max(span.fromMs, coveredTo);
    const end = Math.min(span.toMs + excuses.graceMs, toMs);
    if (end > start) {
      excused += end - start;
      coveredTo = end;
    }
  }
  return excused;
}

/**
 * When `silenceMs` of silence since `sinceMs` is full, not counting excused time. A span that begins after that moment no
 * longer matters. With no spans: `sinceMs + silenceMs`.
 */
export function deadlineAfter(sinceMs: number, silenceMs: number, excuses: Excuses | undefined): number {
  let deadlineMs = sinceMs + silenceMs;
  if (excuses === undefined) return deadlineMs;
  let coveredTo = sinceMs;
  for (const span of excuses.spans) {
    if (span.fromMs >= deadlineMs) break;
    const start = Math.max(span.fromMs, coveredTo);
    const end = span.toMs + excuses.graceMs;
    if (end > start) {
      deadlineMs += end - start;
      coveredTo = end;
    }
  }
  return deadlineMs;
}

/** Both lists as one, ordered; the longer grace of the two. */
export function mergeExcuses(a: Excuses, b: Excuses): Excuses {
  const spans = [...a.spans, ...b.spans].sort((x, y) => x.fromMs - y.fromMs);
  return { spans, graceMs: Math.max(a.graceMs, b.graceMs) };
}
