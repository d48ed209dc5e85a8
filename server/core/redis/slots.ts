import type { SlotRange } from "./status.ts";

/** Sets of slots as ascending ranges. */

export const slotCount = 16_384;

export function expand(ranges: readonly SlotRange[]): number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

export function compress(slots: readonly number[]): SlotRange[] {
  const ranges: [number, number][] = [];
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && slot <= last[1] + 1) last[1] = Math.max(last[1], slot);
    else ranges.push([slot, slot]);
  }
  return ranges;
}

export function countSlots(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
