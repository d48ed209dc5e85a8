/** Times of one process's monotonic clock, in milliseconds. */
export interface LeaseTimes {
  /** From then on the lease is held to have ended, whatever the server thinks. */
  readonly untilMs: number;
  readonly renewAtMs: number;
}

/** Clocks of two machines run apart by less than this share (crystals: some 10⁻⁴). */
const driftShare = 0.005;

/**
 * The lease as its holder may count on it: it began at the latest when the request was *sent*, not when the answer came, so a slow answer
 * never makes it look longer than it is. Renewed after a third of it, so that two renewals may fail.
 */
export function readLease(sentAtMs: number, leftMs: number): LeaseTimes {
  const countedMs = Math.max(0, leftMs * (1 - driftShare));
  return { untilMs: sentAtMs + countedMs, renewAtMs: sentAtMs + countedMs / 3 };
}

/** When to try again after a renewal that got no answer: soon, and as long as there is time. Null: it is over. */
export function retryAt({ untilMs }: LeaseTimes, nowMs: number): number | null {
  const leftMs = untilMs - nowMs;
  return leftMs <= 0 ? null : nowMs + Math.min(1_000, Math.max(20, leftMs / 5));
}
