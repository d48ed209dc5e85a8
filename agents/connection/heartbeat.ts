import type { HeartbeatFrame } from "../../server/protocol/index.ts";
import { monotonicMs } from "../shared/time.ts";

export type HeartbeatBody = Omit<HeartbeatFrame, "t" | "seq" | "bootId" | "monoMs" | "wallMs" | "eager" | "loopLagMs">;

export interface HeartbeatOptions {
  readonly bootId: string;
  /** What is known now; must not wait. */
  collect(nowMs: number): HeartbeatBody;
  send(frame: HeartbeatFrame): void;
}

/** Changes that come together are told together. */
const eagerDelayMs = 4;
const minEagerGapMs = 10;

/**
 * Beats on an absolute grid: a late beat does not shift the ones after it, and a pause skips the missed ones. Beats between them are eager:
 * sent because something changed.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #intervalMs = 1_000;
  #originMs = 0;
  #seq = 0;
  #lagMs = 0;
  #grid: NodeJS.Timeout | null = null;
  #eager: NodeJS.Timeout | null = null;
  #lastSentMs = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Starts beating, the first time at once; also to change the interval. */
  start(intervalMs: number): void {
    this.stop();
    this.#intervalMs = intervalMs;
    this.#originMs = monotonicMs();
    this.#beat(false);
    this.#schedule();
  }

  /** Another rhythm from now on; the same one goes on undisturbed. */
  retime(intervalMs: number): void {
    if (this.#grid !== null && intervalMs !== this.#intervalMs) this.start(intervalMs);
  }

  stop(): void {
    if (this.#grid) clearTimeout(this.#grid);
    if (this.#eager) clearTimeout(this.#eager);
    this.#grid = null;
    this.#eager = null;
  }

  /** Something changed: tell it now. */
  beatNow(): void {
    if (this.#grid === null || this.#eager !== null) return;
    const wait = Math.max(eagerDelayMs, minEagerGapMs - (monotonicMs() - this.#lastSentMs));
    this.#eager = setTimeout(() => {
      this.#eager = null;
      this.#beat(true);
    }, wait);
  }

  /** Timers may fire a fraction of a millisecond early: the point that was due is never due again. */
  #schedule(afterMs = 0): void {
    const dueMs = nextOnGrid(this.#originMs, this.#intervalMs, Math.max(afterMs, monotonicMs()));
    this.#grid = setTimeout(() => {
      this.#lagMs = Math.max(0, monotonicMs() - dueMs);
      this.#beat(false);
      this.#schedule(dueMs);
    }, dueMs - monotonicMs());
  }

  #beat(eager: boolean): void {
    const nowMs = monotonicMs();
    this.#lastSentMs = nowMs;
    this.#seq += 1;
    this.#options.send({
      t: "heartbeat",
      seq: this.#seq,
      bootId: this.#options.bootId,
      monoMs: nowMs,
      wallMs: Date.now(),
      eager,
      loopLagMs: this.#lagMs,
      ...this.#options.collect(nowMs),
    });
  }
}

/** The next point of the grid after `nowMs`. */
export function nextOnGrid(originMs: number, intervalMs: number, nowMs: number): number {
  const beats = Math.floor((nowMs - originMs) / intervalMs) + 1;
  return originMs + beats * intervalMs;
}
