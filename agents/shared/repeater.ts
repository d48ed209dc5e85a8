import { monotonicMs } from "./time.ts";

/** Runs `work` again and again, never two at a time; the interval counts from start to start. */
export class Repeater {
  readonly #work: () => Promise<void>;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #again = false;
  #stopped = true;

  constructor(intervalMs: number, work: () => Promise<void>) {
    this.#intervalMs = intervalMs;
    this.#work = work;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Runs now, or once more right after the run under way. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const startedAt = monotonicMs();
    try {
      await this.#work();
    } catch {
      // The work reports its own failures; a turn that throws must not end the series.
    }
    this.#running = false;
    if (this.#stopped) return;
    const wait = this.#again ? 0 : Math.max(0, this.#intervalMs - (monotonicMs() - startedAt));
    this.#again = false;
    this.#timer = setTimeout(() => void this.#run(), wait);
  }
}
