import { arcLength } from "./arcs.ts";
import { CIRCLE, type Ring, type RingNode } from "./types.ts";

/** What share of the circle each node owns, in the order of `ring.nodes`. */
export function ownershipShares(ring: Ring): number[] {
  const lengths = ring.nodes.map(() => 0);
  for (let i = 0; i < ring.positions.length; i++) lengths[ring.owners[i]!]! += arcLength(ring.positions, i);
  return lengths.map((length) => length / CIRCLE);
}

/** What share each node ought to own by its weight. */
export function fairShares(nodes: readonly RingNode[]): number[] {
  const total = nodes.reduce((sum, node) => sum + node.weight, 0);
  return nodes.map((node) => (total === 0 ? 0 : node.weight / total));
}

/** Fullest node over its fair share: 1 is perfect. Null if nobody has any weight. */
export function balance(shares: readonly number[], fair: readonly number[]): number | null {
  let worst: number | null = null;
  for (const [i, share] of shares.entries()) {
    if (fair[i]! > 0) worst = Math.max(worst ?? 0, share / fair[i]!);
  }
  return worst;
}
