import type { Clock } from "../ports/clock.ts";

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #nowMs = 1_000;
  #entropy = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  monoMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  entropy(): string {
    this.#entropy += 1;
    return `entropy-${this.#entropy}`;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  soon(run: () => void): void {
    setImmediate(run);
  }

  /** Lets time pass, timer by timer, and what each begins come to rest. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Promises and immediates that are under way come to rest. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
