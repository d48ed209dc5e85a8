/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup & Zadimoghaddam 2018), applied to arcs instead of single keys: a node at its limit passes
 * an arc on to the next node of the walk that has room. Points claim their arcs in the order in which they were placed (first, second, … of every
 * node), so that it is always a node's last virtual nodes that pass something on, and a change elsewhere disturbs little.
 */
import { arcLength } from "./arcs.ts";
import { CIRCLE, type RingNode } from "./types.ts";

type Claims = {
  readonly nodes: readonly RingNode[];
  readonly positions: Uint32Array;
  readonly points: Uint16Array;
  /** Indices of the points in the order in which they claim. */
  readonly claims: Uint32Array;
  readonly loadBound: number;
};

export function boundLoad({ nodes, positions, points, claims, loadBound }: Claims): Uint16Array {
  const total = nodes.reduce((sum, node) => sum + node.weight, 0);
  const room = nodes.map((node) => (CIRCLE * (1 + loadBound) * node.weight) / total);
  const owners = new Uint16Array(points.length);
  for (const claim of claims) {
    const length = arcLength(positions, claim);
    const owner = findRoom(points, room, claim, length);
    owners[claim] = owner;
    room[owner]! -= length;
  }
  return owners;
}

function findRoom(points: Uint16Array, room: readonly number[], start: number, length: number): number {
  const count = points.length;
  for (let step = 0, at = start; step < count; step++, at = at + 1 === count ? 0 : at + 1) {
    if (room[points[at]!]! >= length) return points[at]!;
  }
  // An arc longer than any room that is left (very few virtual nodes): where the most is left.
  return room.reduce((best, left, node) => (left > room[best]! ? node : best), 0);
}
