/** Time and chance, injected so that the simulator can own both. */
export interface Clock {
  /** Monotonic milliseconds of this process. Durations and deadlines use only this. */
  monoMs(): number;
  /** Wall clock, milliseconds since the Unix epoch (UTC). */
  wallMs(): number;
  /** Fresh random text, at least 128 bit. */
  entropy(): string;
  /** Runs once after `delayMs`; the answer cancels it. */
  setTimer(run: () => void, delayMs: number): () => void;
  /** Runs once after what has already arrived was taken in: as soon as possible, never in the same call. */
  soon(run: () => void): void;
}
