import type { SeriesView } from "../protocol/index.ts";

/** One value of one metric of one subject (`node:pg-a`, `cluster:orders`). Persisted about every 10 s; liveness is never read from here. */
export interface Sample {
  readonly subject: string;
  /** Such as `cpu`, `lagBytes`: unit last. */
  readonly name: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly value: number;
}

export interface SampleStore {
  /** A sample with the same subject, name and time as a stored one replaces it. */
  appendSamples(rows: readonly Sample[]): Promise<void>;
  /**
   * Means over steps of `stepMs`, aligned to multiples of it, within `[fromMs, toMs)`. Every step that has any value is in `t`; a series
   * without a value there holds null. Never more than 5,000 steps: a finer request is answered with wider steps.
   */
  readSeries(
    subject: string,
    names: readonly string[],
    fromMs: number,
    toMs: number,
    stepMs: number,
  ): Promise<SeriesView>;
  /** Deletes what is older; answers how many rows. */
  dropSamplesBefore(beforeMs: number): Promise<number>;
}
