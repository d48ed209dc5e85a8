import { CIRCLE } from "./types.ts";

/** Length of the arc that ends at a point: from the point before it, around the top if need be. */
export function arcLength(positions: Uint32Array, at: number): number {
  if (at > 0) return positions[at]! - positions[at - 1]!;
  const before = positions[positions.length - 1]!;
  return positions.length === 1 ? CIRCLE : positions[0]! + CIRCLE - before;
}
