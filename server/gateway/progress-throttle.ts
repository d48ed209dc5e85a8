import type { Clock } from "../ports/clock.ts";
import type { ProgressFrame } from "../protocol/index.ts";

/** One event per command in this time; of what comes in between only the newest counts. */
const spacingMs = 250;

interface Waiting {
  newest: ProgressFrame | null;
  readonly cancel: () => void;
}

/** Lets the progress of each command through at a rate a screen can follow. At most one entry for each command of the last 250 ms. */
export class ProgressThrottle {
  readonly #waiting = new Map<string, Waiting>();
  readonly #clock: Clock;
  readonly #post: (frame: ProgressFrame) => void;

  constructor(clock: Clock, post: (frame: ProgressFrame) => void) {
    this.#clock = clock;
    this.#post = post;
  }

  take(frame: ProgressFrame): void {
    const waiting = this.#waiting.get(frame.commandId);
    if (waiting === undefined) this.#pass(frame);
    else waiting.newest = frame;
  }

  /** The command has its result: nothing that was said before may come after it. */
  forget(commandId: string): void {
    this.#waiting.get(commandId)?.cancel();
    this.#waiting.delete(commandId);
  }

  close(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  #pass(frame: ProgressFrame): void {
    const { commandId } = frame;
    const cancel = this.#clock.setTimer(() => {
      const newest = this.#waiting.get(commandId)?.newest ?? null;
      this.#waiting.delete(commandId);
      if (newest !== null) this.#pass(newest);
    }, spacingMs);
    this.#waiting.set(commandId, { newest: null, cancel });
    this.#post(frame);
  }
}
