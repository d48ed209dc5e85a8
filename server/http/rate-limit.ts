import type { Clock } from "../ports/clock.ts";

const keysKept = 10_000;

/** Counts by key: `burst` at once, `perSecond` in the long run. The number of keys is bounded; the oldest are forgotten first. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #keys = new Map<string, { tokens: number; atMs: number }>();

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Seconds to wait, or 0 when the request may pass. */
  take(key: string): number {
    const nowMs = this.#clock.monoMs();
    const known = this.#keys.get(key) ?? { tokens: this.#burst, atMs: nowMs };
    const tokens = Math.min(this.#burst, known.tokens + ((nowMs - known.atMs) / 1_000) * this.#perSecond);
    this.#keys.delete(key);
    this.#keys.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#keys.size > keysKept) this.#keys.delete(this.#keys.keys().next().value as string);
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / this.#perSecond));
  }
}
