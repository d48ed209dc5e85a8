/**
 * Trouble comes in bursts and in rhythms: a lossy spell, a storm of retransmissions, a job every minute, a satellite
 * hand-over every 15 s. For silences of several sizes this learns how likely one is given the time since the last, so that
 * a detector can wait longer when trouble is due and less when it is not. A renewal process with a learned hazard, kept apart
 * per size; without evidence it says "as always".
 */
import { dyadicHazard, LEAVES } from "./dyadic-hazard.ts";

/** Sizes of trouble: a silence longer than this many intervals. */
export const TROUBLE_LEVELS = [1.25, 2.5, 5, 10] as const;
const LEVELS = TROUBLE_LEVELS.length;

export type TroubleContext = {
  /** Beats since the last silence of each size, −1 before the first. */
  sinceLast: number[];
  /** Phase of each clock: `leafOf(sinceLast)`. */
  leaf: number[];
  /** Beats spent at each phase of each clock; null before the first trouble of that size. */
  exposure: (number[] | null)[];
  /** Troubles of each size at each phase of the same size's clock; null before the first. */
  ownEvents: (number[] | null)[];
  /** Troubles of each size at each phase of the smallest size's clock ("any trouble"); null before the first. */
  anyEvents: (number[] | null)[];
  /** log of (chance of each size now / overall chance). */
  logRatio: number[];
};

export function createTroubleContext(): TroubleContext {
  const nothing = () => new Array<number[] | null>(LEVELS).fill(null);
  return {
    sinceLast: new Array<number>(LEVELS).fill(-1),
    leaf: new Array<number>(LEVELS).fill(0),
    exposure: nothing(),
    ownEvents: nothing(),
    anyEvents: nothing(),
    logRatio: new Array<number>(LEVELS).fill(0),
  };
}

const SINGLE_LEAVES = 8;
const LEAVES_PER_OCTAVE = 6;

/** Phase of a clock: one leaf a beat at first, then six an octave. */
export function leafOf(sinceLast: number): number {
  if (sinceLast < SINGLE_LEAVES) return sinceLast;
  return Math.min(LEAVES - 1, SINGLE_LEAVES + Math.floor(Math.log2(sinceLast / SINGLE_LEAVES) * LEAVES_PER_OCTAVE));
}

/** Learns one silence (in intervals). Mutates `context`; returns true when the context is another one than before. */
export function observeSilence(context: TroubleContext, ratio: number): boolean {
  const { sinceLast, leaf, exposure, ownEvents, anyEvents } = context;
  for (let j = 0; j < LEVELS; j++) {
    const spent = exposure[j];
    if (spent) spent[leaf[j]!]! += 1;
  }
  for (let j = 0; j < LEVELS && ratio > TROUBLE_LEVELS[j]!; j++) {
    if (sinceLast[j]! >= 0) countEvent(ownEvents, j, leaf[j]!);
    if (j > 0 && sinceLast[0]! >= 0) countEvent(anyEvents, j, leaf[0]!);
  }
  let changed = false;
  for (let j = 0; j < LEVELS; j++) {
    const trouble = ratio > TROUBLE_LEVELS[j]!;
    if (trouble) exposure[j] ??= new Array<number>(LEAVES).fill(0);
    else if (sinceLast[j]! < 0) continue;
    sinceLast[j] = trouble ? 0 : sinceLast[j]! + 1;
    const next = leafOf(sinceLast[j]!);
    if (trouble || next !== leaf[j]) changed = true;
    leaf[j] = next;
  }
  return changed;
}

function countEvent(tables: (number[] | null)[], level: number, leaf: number): void {
  let table = tables[level];
  if (!table) {
    table = new Array<number>(LEAVES).fill(0);
    tables[level] = table;
  }
  table[leaf]! += 1;
}

const NO_EVENTS: readonly number[] = new Array<number>(LEAVES).fill(0);

/**
 * Brings `logRatio` up to date. `overall(level)` is the overall chance that a silence is longer than that many intervals.
 * The two clocks (same size, any size) are averaged by their evidence. Mutates `context`.
 */
export function refreshRatios(context: TroubleContext, overall: (level: number) => number): void {
  const { sinceLast, leaf, exposure, ownEvents, anyEvents, logRatio } = context;
  for (let j = 0; j < LEVELS; j++) {
    logRatio[j] = 0;
    const chance = overall(TROUBLE_LEVELS[j]!);
    const any = exposure[0];
    const own = exposure[j];
    if (!any || sinceLast[0]! < 0) continue;
    const byAny = dyadicHazard((j === 0 ? ownEvents[0] : anyEvents[j]) ?? NO_EVENTS, any, leaf[0]!, chance);
    let estimate = byAny.chance;
    if (j > 0 && own) {
      const byOwn = dyadicHazard(ownEvents[j] ?? NO_EVENTS, own, leaf[j]!, chance);
      const weight = 1 / (1 + Math.exp(byAny.logEvidence - byOwn.logEvidence));
      estimate = weight * byOwn.chance + (1 - weight) * byAny.chance;
    }
    logRatio[j] = Math.log(estimate / chance);
  }
}

/** log of (chance now / overall chance) of a silence longer than `ratio` intervals, interpolated between the sizes. */
export function logRatioAt(context: TroubleContext, ratio: number): number {
  const { logRatio } = context;
  if (ratio <= 1) return 0;
  if (ratio < TROUBLE_LEVELS[0]) return (logRatio[0]! * (ratio - 1)) / (TROUBLE_LEVELS[0] - 1);
  for (let j = 1; j < LEVELS; j++) {
    const high = TROUBLE_LEVELS[j]!;
    if (ratio < high) {
      const low = TROUBLE_LEVELS[j - 1]!;
      const part = (ratio - low) / (high - low);
      return logRatio[j - 1]! * (1 - part) + logRatio[j]! * part;
    }
  }
  return logRatio[LEVELS - 1]!;
}

/** Halves all old evidence. Mutates `context`. */
export function fadeContext(context: TroubleContext): void {
  for (const tables of [context.exposure, context.ownEvents, context.anyEvents]) {
    for (const table of tables) if (table) for (let i = 0; i < LEAVES; i++) table[i] = table[i]! / 2;
  }
}
