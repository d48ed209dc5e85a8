import { median } from "../localization/statistics.ts";

/**
 * What is usual for a series. With days of history: median and spread (median absolute deviation, scaled to a standard deviation) of the same hour
 * of the day. Without: a running level and spread that one wild value can't move far (exponential weights over clipped values, after Huber).
 */

export interface Usual {
  readonly level: number;
  /** As a standard deviation; may be 0. */
  readonly spread: number;
}

/** By hour of the day, UTC; null where there is too little to say. */
export type SeasonalProfile = readonly (Usual | null)[];

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Makes the median absolute deviation of a normal distribution its standard deviation. */
const madToDeviation = 1.4826;
/** Days on which an hour has to have been seen, and values of it, before it says what is usual. */
const leastDays = 3;
const leastValues = 30;

export interface Point {
  readonly at: number;
  readonly value: number;
}

/** Each hour is judged with its neighbours: days don't begin on the minute. */
export function buildProfile(points: readonly Point[]): SeasonalProfile {
  const hours: Point[][] = Array.from({ length: 24 }, () => []);
  for (const point of points) hours[Math.floor((point.at % dayMs) / hourMs)]?.push(point);
  return hours.map((own, hour) => {
    const around = [...own, ...(hours[(hour + 23) % 24] ?? []), ...(hours[(hour + 1) % 24] ?? [])];
    const days = new Set(own.map((point) => Math.floor(point.at / dayMs))).size;
    return days < leastDays || around.length < leastValues ? null : measureUsual(around.map((point) => point.value));
  });
}

export function measureUsual(values: readonly number[]): Usual {
  const level = median(values);
  return { level, spread: madToDeviation * median(values.map((value) => Math.abs(value - level))) };
}

export function usualAt(profile: SeasonalProfile | null, atMs: number): Usual | null {
  return profile?.[Math.floor((atMs % dayMs) / hourMs)] ?? null;
}

/** The running level and spread of a series without enough history. */
export interface RunningUsual {
  level: number;
  spread: number;
  sinceMs: number;
  lastMs: number;
  count: number;
}

/** It says nothing before it has seen this much. */
const warmUpMs = 30 * 60_000;
const warmUpValues = 30;
/** After an hour of something new, two thirds of the way are gone. */
const memoryMs = hourMs;
/** A value counts as at most so many spreads away. */
const clip = 3;

/** Takes a value into the running level; the first hour learns quickly. */
export function learnUsual(known: RunningUsual | null, value: number, atMs: number): RunningUsual {
  if (known === null) return { level: value, spread: 0, sinceMs: atMs, lastMs: atMs, count: 1 };
  const weight = Math.max(1 - Math.exp(-Math.max(0, atMs - known.lastMs) / memoryMs), 1 / (known.count + 1));
  const wild = value - known.level;
  const limit = isWarm(known, atMs) ? clip * Math.max(known.spread, Math.abs(known.level) * 0.02, 1e-9) : Infinity;
  const step = Math.max(-limit, Math.min(limit, wild));
  known.level += weight * step;
  known.spread += weight * (Math.abs(step) * 1.2533 - known.spread);
  known.lastMs = atMs;
  known.count += 1;
  return known;
}

function isWarm({ sinceMs, count }: RunningUsual, atMs: number): boolean {
  return atMs - sinceMs >= warmUpMs && count >= warmUpValues;
}

export function usualNow(known: RunningUsual | null, atMs: number): Usual | null {
  return known !== null && isWarm(known, atMs) ? { level: known.level, spread: known.spread } : null;
}

/**
 * How many spreads `value` is above what is usual, 0 while the departure is below `floor`. A series that never moved has no spread: the floor stands
 * in for it, so that the score of a quiet series does not explode.
 */
export function deviationsAbove({ level, spread }: Usual, value: number, floor: number): number {
  const departure = value - level;
  return departure < floor ? 0 : departure / Math.max(spread, floor / 10);
}
