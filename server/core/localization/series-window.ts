import type { Onset } from "./onset.ts";
import type { Series } from "./telemetry.ts";

/** A series' values before the fault can have begun, and since its supposed onset, with their times. */
export interface SplitSeries {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly afterTimesS: readonly number[];
}

const EMPTY: SplitSeries = { before: [], after: [], afterTimesS: [] };

/** Splits a series around a supposed onset; values that are not finite are dropped. */
export function splitAt(series: Series | undefined, onset: Onset): SplitSeries {
  if (series === undefined) return EMPTY;
  const before: number[] = [];
  const after: number[] = [];
  const afterTimesS: number[] = [];
  for (let i = 0; i < series.timesS.length; i++) {
    const value = series.values[i]!;
    const timeS = series.timesS[i]!;
    if (!Number.isFinite(value)) continue;
    if (timeS < onset.quietUntilS) {
      before.push(value);
    } else if (timeS >= onset.startS) {
      after.push(value);
      afterTimesS.push(timeS);
    }
  }
  return { before, after, afterTimesS };
}
