/** An outage as the application saw it: a gap between two acknowledged writes, wall-clock milliseconds. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

const windowMs = 2_000;
/** A gap longer than this counts as an outage. */
const outageMs = 100;

/** Rate, latency and gaps of acknowledged writes. Durations by the monotonic clock that is handed in; wall clock only for display. */
export class WriteMeter {
  #recent: { readonly atMs: number; readonly latencyMs: number }[] = [];
  #lastAckMs: number | null = null;
  #lastAckWallMs: number | null = null;
  #lastOutage: Outage | null = null;

  /** Answers with the outage that this acknowledgement ended, if any. */
  acknowledge(nowMs: number, wallMs: number, latencyMs: number): Outage | null {
    const gap = this.#lastAckMs === null ? 0 : nowMs - this.#lastAckMs;
    this.#lastAckMs = nowMs;
    this.#lastAckWallMs = wallMs;
    this.#recent.push({ atMs: nowMs, latencyMs });
    while (this.#recent.length > 0 && (this.#recent[0]?.atMs ?? 0) < nowMs - windowMs) this.#recent.shift();
    if (gap <= outageMs) return null;
    this.#lastOutage = { fromMs: Math.round(wallMs - gap), toMs: wallMs };
    return this.#lastOutage;
  }

  read(nowMs: number): {
    readonly writesPerSecond: number;
    readonly latencyMeanMs: number | null;
    readonly latencyP95Ms: number | null;
    readonly lastAcknowledgedAt: number | null;
    readonly unavailableForMs: number;
    readonly lastOutage: Outage | null;
  } {
    const recent = this.#recent.filter((each) => each.atMs >= nowMs - windowMs);
    const sorted = recent.map((each) => each.latencyMs).sort((a, b) => a - b);
    const sum = sorted.reduce((total, ms) => total + ms, 0);
    const gap = this.#lastAckMs === null ? 0 : nowMs - this.#lastAckMs;
    return {
      writesPerSecond: recent.length / (windowMs / 1_000),
      latencyMeanMs: sorted.length === 0 ? null : sum / sorted.length,
      latencyP95Ms: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? null,
      lastAcknowledgedAt: this.#lastAckWallMs,
      unavailableForMs: gap > outageMs ? Math.round(gap) : 0,
      lastOutage: this.#lastOutage,
    };
  }
}
