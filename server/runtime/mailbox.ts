import type { Event } from "../core/index.ts";

/** Events the loop has not taken yet. 5,000 agents at 1 Hz fill it in four seconds of standstill. */
export const mailboxLimit = 20_000;

/** A bounded queue. What doesn't fit is refused to the caller, who knows whether it comes again. */
export class Mailbox {
  #events: Event[] = [];
  #dropped = 0;
  readonly #limit: number;

  constructor(limit = mailboxLimit) {
    this.#limit = limit;
  }

  get depth(): number {
    return this.#events.length;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** False when full: the event was not taken. */
  push(event: Event): boolean {
    if (this.#events.length >= this.#limit) {
      this.#dropped += 1;
      return false;
    }
    this.#events.push(event);
    return true;
  }

  /** What the loop has to know before everything else (an own stall, the store). Never refused. */
  pushFirst(event: Event): void {
    this.#events.unshift(event);
  }

  drain(): Event[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
