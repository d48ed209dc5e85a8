import { median } from "../localization/statistics.ts";
import type { Point } from "./baseline.ts";

/** An hour at five minutes. */
const pointsKept = 12;
const everyMs = 300_000;
/** Less than a quarter of an hour is one file being written. */
const leastMs = 15 * 60_000;
/** Growth below this share of the disk within the time seen is noise. */
const leastRise = 0.002;
const hourMs = 3_600_000;
const farAwayHours = 24 * 365;

/** Used shares of a disk over the last hour, oldest first. */
export type DiskTrend = Point[];

/** False when the last point is too young for another. */
export function addDiskPoint(trend: DiskTrend, atMs: number, share: number): boolean {
  const last = trend.at(-1);
  if (last !== undefined && atMs - last.at < everyMs) return false;
  trend.push({ at: atMs, value: share });
  if (trend.length > pointsKept) trend.shift();
  return true;
}

/**
 * Hours until the disk is full if it goes on like this: by the median of the slopes between all pairs (Theil 1950, Sen 1968), which neither one
 * large file nor its removal moves. Null while too little was seen; a year when it does not fill.
 */
export function hoursLeft(trend: DiskTrend): number | null {
  const [first, last] = [trend[0], trend.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < leastMs) return null;
  const slopes: number[] = [];
  for (let i = 0; i < trend.length; i += 1) {
    for (let j = i + 1; j < trend.length; j += 1) {
      const [a, b] = [trend[i] as Point, trend[j] as Point];
      slopes.push((b.value - a.value) / ((b.at - a.at) / hourMs));
    }
  }
  const perHour = median(slopes);
  const seenHours = (last.at - first.at) / hourMs;
  if (perHour * seenHours < leastRise) return farAwayHours;
  return Math.min(farAwayHours, Math.max(0, 1 - last.value) / perHour);
}
