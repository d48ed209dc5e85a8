import type { Series } from "./telemetry.ts";

/** A series' values before and at-or-after the fault time, with their times. */
export interface SplitSeries {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly afterTimesS: readonly number[];
}

const EMPTY: SplitSeries = { before: [], after: [], afterTimesS: [] };

/** Splits a series at the fault time; values that are not finite are dropped. */
export function splitAt(series: Series | undefined, faultTimeS: number): SplitSeries {
  if (series === undefined) return EMPTY;
  const before: number[] = [];
  const after: number[] = [];
  const afterTimesS: number[] = [];
  for (let i = 0; i < series.timesS.length; i++) {
    const value = series.values[i]!;
    if (!Number.isFinite(value)) continue;
    if (series.timesS[i]! < faultTimeS) {
      before.push(value);
    } else {
      after.push(value);
      afterTimesS.push(series.timesS[i]!);
    }
  }
  return { before, after, afterTimesS };
}
