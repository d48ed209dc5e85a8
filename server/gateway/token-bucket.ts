/** Allows `burst` at once and `perSecond` in the long run. */
export class TokenBucket {
  #tokens: number;
  #atMs: number;
  readonly #perSecond: number;
  readonly #burst: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** False when the limit is reached. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes `count` in any case and answers with the milliseconds to wait before they are due. At most one burst is owed. */
  reserve(count: number, nowMs: number): number {
    this.#refill(nowMs);
    this.#tokens = Math.max(-this.#burst, this.#tokens - count);
    return Math.max(0, (-this.#tokens * 1_000) / this.#perSecond);
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) * this.#perSecond) / 1_000);
    this.#atMs = nowMs;
  }
}
