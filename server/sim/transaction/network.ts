import type { Random } from "../random.ts";

/** Time, timers and a network that loses, doubles, delays and reorders. Everything hangs on one seed. */
export class World {
  nowMs = 0;
  readonly random: Random;
  #serial = 0;
  readonly #queue: Timed[] = [];
  readonly #faults: NetworkFaults;
  /** Pairs that hear nothing of each other, until the heal. */
  #cut: (from: string, to: string) => boolean = () => false;

  constructor(random: Random, faults: NetworkFaults) {
    this.random = random;
    this.#faults = faults;
  }

  after(delayMs: number, run: () => void): void {
    this.#queue.push({ atMs: this.nowMs + delayMs, serial: this.#serial++, run });
  }

  send(from: string, to: string, deliver: () => void): void {
    const faulty = this.nowMs < this.#faults.untilMs;
    const copies = faulty && this.random.chance(this.#faults.duplicates) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (faulty && this.random.chance(this.#faults.loss)) continue;
      const late = faulty && this.random.chance(this.#faults.late);
      const delayMs = late ? this.random.between(200, 4_000) : this.random.between(1, 20);
      this.after(delayMs, () => {
        if (!this.#cut(from, to)) deliver();
      });
    }
  }

  cut(isCut: (from: string, to: string) => boolean): void {
    this.#cut = isCut;
  }

  /** Runs until nothing is left or the time is over. */
  run(untilMs: number): void {
    for (;;) {
      const next = this.#takeFirst();
      if (next === null || next.atMs > untilMs) return;
      this.nowMs = next.atMs;
      next.run();
    }
  }

  /** The queue is short: looking at all of it costs less than keeping it in order. */
  #takeFirst(): Timed | null {
    let first = 0;
    this.#queue.forEach(({ atMs, serial }, index) => {
      const best = this.#queue[first] as Timed;
      if (atMs < best.atMs || (atMs === best.atMs && serial < best.serial)) first = index;
    });
    return this.#queue.splice(first, 1)[0] ?? null;
  }
}

interface Timed {
  readonly atMs: number;
  readonly serial: number;
  readonly run: () => void;
}

export interface NetworkFaults {
  readonly loss: number;
  readonly duplicates: number;
  readonly late: number;
  readonly untilMs: number;
}
