import type { TimelineEntry } from "../../server/core/index.ts";

/** Where entries and their labels stand on the axis. Pure, so that it can be tested without a screen. */

export type Scale = "log" | "linear";
export const lanes = ["signal", "verdict", "action", "person"] as const;
export type LaneName = (typeof lanes)[number];

export interface Mark {
  readonly entry: TimelineEntry;
  /** Entries of the same lane and kind so close that one mark stands for them. */
  readonly others: readonly TimelineEntry[];
  readonly x: number;
  /** Row of the label above the lane's line, 0 nearest; null when there is no room: the mark alone stays. */
  readonly labelRow: number | null;
  readonly label: string;
  /** The label ends at the mark instead of beginning there: near the right edge. */
  readonly alignEnd: boolean;
}

export interface LaneLayout {
  readonly lane: LaneName;
  readonly marks: readonly Mark[];
  readonly rows: number;
}

/** One tenth of a second is where the logarithm bends: below it everything is "at once". */
const kneeMs = 100;
const maxRows = 3;
const gapPx = 10;
/** Mean width of a character at 12 px. */
const charPx = 6.3;
const mergePx = 7;
/** Room for `+0.10 s` and a gap. */
const tickLabelPx = 50;

/** Maps an instant onto 0..1 of the axis. Instants outside are clamped to its ends. */
export function placeOnAxis(at: number, fromMs: number, toMs: number, scale: Scale): number {
  const span = Math.max(1, toMs - fromMs);
  const offset = Math.min(span, Math.max(0, at - fromMs));
  if (scale === "linear") return offset / span;
  return Math.log1p(offset / kneeMs) / Math.log1p(span / kneeMs);
}

/** Round distances from the beginning that fit the axis: 0.1 s, 1 s, 10 s, 1 min, … */
export function axisTicks(fromMs: number, toMs: number, scale: Scale): readonly number[] {
  const span = Math.max(1, toMs - fromMs);
  if (scale === "linear") {
    const step =
      [
        100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 21_600_000,
        86_400_000,
      ].find((each) => span / each <= 7) ?? span / 6;
    return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step);
  }
  return [
    0, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000,
  ].filter((offset) => offset <= span);
}

/** Ticks with their place on an axis of `widthPx`; one whose label would run into the one before it goes without. */
export function placeTicks(
  fromMs: number,
  toMs: number,
  scale: Scale,
  widthPx: number,
): readonly { readonly offset: number; readonly x: number; readonly labelled: boolean }[] {
  let freeFrom = Number.NEGATIVE_INFINITY;
  return axisTicks(fromMs, toMs, scale).map((offset) => {
    const x = placeOnAxis(fromMs + offset, fromMs, toMs, scale) * widthPx;
    const labelled = x >= freeFrom;
    if (labelled) freeFrom = x + tickLabelPx;
    return { offset, x, labelled };
  });
}

export function layoutTimeline(
  entries: readonly TimelineEntry[],
  options: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly scale: Scale;
    readonly widthPx: number;
    readonly labelOf: (entry: TimelineEntry) => string;
  },
): readonly LaneLayout[] {
  return lanes.map((lane) => {
    const own = entries.filter((entry) => entry.lane === lane).sort((a, b) => a.at - b.at || a.seq - b.seq);
    const merged = mergeNear(own, options);
    const ends: number[] = [];
    const marks = merged.map(({ entry, others, x }): Mark => {
      const text = options.labelOf(entry);
      const label = others.length === 0 ? text : `${text} ×${others.length + 1}`;
      const width = Math.min(label.length, 42) * charPx;
      const alignEnd = x + width > options.widthPx;
      const start = alignEnd ? x - width : x - 4;
      const row = Array.from({ length: maxRows }, (_, index) => index).find(
        (index) => (ends[index] ?? Number.NEGATIVE_INFINITY) + gapPx <= start,
      );
      if (row !== undefined) ends[row] = start + width;
      return { entry, others, x, label, alignEnd, labelRow: start < -8 ? null : (row ?? null) };
    });
    return { lane, marks, rows: Math.max(1, ends.length) };
  });
}

function mergeNear(
  entries: readonly TimelineEntry[],
  options: { readonly fromMs: number; readonly toMs: number; readonly scale: Scale; readonly widthPx: number },
): { entry: TimelineEntry; others: TimelineEntry[]; x: number }[] {
  const merged: { entry: TimelineEntry; others: TimelineEntry[]; x: number }[] = [];
  for (const entry of entries) {
    const x = placeOnAxis(entry.at, options.fromMs, options.toMs, options.scale) * options.widthPx;
    const near = merged.find((each) => each.entry.kind === entry.kind && Math.abs(each.x - x) < mergePx);
    if (near === undefined) merged.push({ entry, others: [], x });
    else near.others.push(entry);
  }
  return merged;
}
