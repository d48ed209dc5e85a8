import { hashKey } from "./hash.ts";
import type { Ring } from "./types.ts";

/** Index of the first point at or after a position. A ring without points has none: -1. */
export function pointAt(ring: Ring, position: number): number {
  const { positions, buckets } = ring;
  const count = positions.length;
  let at = buckets[position >>> ring.bucketShift]!;
  while (at < count && positions[at]! < position) at++;
  return at < count ? at : count === 0 ? -1 : 0;
}

/** Where a key lies on the circle. */
export function keyPosition(ring: Ring, key: string): number {
  return hashKey(key, ring.seed);
}

/** Index of the owning node in `ring.nodes`; -1 if nobody can own anything. */
export function ownerIndex(ring: Ring, key: string): number {
  const at = pointAt(ring, hashKey(key, ring.seed));
  return at < 0 ? -1 : ring.owners[at]!;
}

/** The node that owns a key, or null on a ring without weight. */
export function locate(ring: Ring, key: string): string | null {
  const owner = ownerIndex(ring, key);
  return owner < 0 ? null : ring.nodes[owner]!.id;
}
