import type { ResponseTime } from "../../server/core/index.ts";

/** Response times of the last `windowMs`, at most `capacity` of them. */
export class ResponseWindow {
  readonly #windowMs: number;
  readonly #capacity: number;
  readonly #samples: { readonly atMs: number; readonly ms: number }[] = [];

  constructor(windowMs: number, capacity: number) {
    this.#windowMs = windowMs;
    this.#capacity = capacity;
  }

  add(atMs: number, ms: number): void {
    this.#samples.push({ atMs, ms });
    while (this.#samples.length > this.#capacity) this.#samples.shift();
  }

  read(nowMs: number): ResponseTime | null {
    while (this.#samples.length > 0 && nowMs - (this.#samples[0]?.atMs ?? 0) > this.#windowMs) this.#samples.shift();
    if (this.#samples.length === 0) return null;
    const sum = this.#samples.reduce((total, sample) => total + sample.ms, 0);
    return { meanMs: sum / this.#samples.length, samples: this.#samples.length, windowMs: this.#windowMs };
  }
}
