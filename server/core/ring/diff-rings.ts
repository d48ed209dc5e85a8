import { CIRCLE, type Ring } from "./types.ts";

/** Keys at positions `start` to `end` (both inclusive) change their owner; null: nobody. */
export type MovedRange = {
  readonly start: number;
  readonly end: number;
  readonly from: string | null;
  readonly to: string | null;
};

export type Flow = { readonly from: string | null; readonly to: string | null; readonly share: number };

export type RingDiff = {
  readonly movedShare: number;
  /** Shares moved between each two nodes, largest first. */
  readonly flows: readonly Flow[];
  /** Ascending; neighbours with the same owners are one range. */
  readonly ranges: readonly MovedRange[];
};

export function diffRings(before: Ring, after: Ring): RingDiff {
  const ranges: MovedRange[] = [];
  let start = 0;
  let a = 0;
  let b = 0;
  while (start < CIRCLE) {
    const endBefore = before.positions[a] ?? CIRCLE - 1;
    const endAfter = after.positions[b] ?? CIRCLE - 1;
    const end = Math.min(endBefore, endAfter);
    const from = ownerOfArc(before, a);
    const to = ownerOfArc(after, b);
    if (from !== to && end >= start) addRange(ranges, { start, end, from, to });
    while (a < before.positions.length && before.positions[a]! <= end) a++;
    while (b < after.positions.length && after.positions[b]! <= end) b++;
    start = end + 1;
  }
  return summarize(ranges);
}

function addRange(ranges: MovedRange[], range: MovedRange): void {
  const last = ranges.at(-1);
  if (last?.end === range.start - 1 && last.from === range.from && last.to === range.to) {
    ranges[ranges.length - 1] = { ...last, end: range.end };
  } else {
    ranges.push(range);
  }
}

/** Past the last point the circle goes on at the first. */
function ownerOfArc(ring: Ring, at: number): string | null {
  const owner = ring.owners[at < ring.owners.length ? at : 0];
  return owner === undefined ? null : ring.nodes[owner]!.id;
}

function summarize(ranges: readonly MovedRange[]): RingDiff {
  const lengths = new Map<string, { from: string | null; to: string | null; length: number }>();
  let moved = 0;
  for (const { start, end, from, to } of ranges) {
    const key = JSON.stringify([from, to]);
    const flow = lengths.get(key) ?? { from, to, length: 0 };
    flow.length += end - start + 1;
    moved += end - start + 1;
    lengths.set(key, flow);
  }
  const flows = [...lengths.values()].map(({ from, to, length }) => ({ from, to, share: length / CIRCLE }));
  return { movedShare: moved / CIRCLE, flows: flows.sort((x, y) => y.share - x.share), ranges };
}
