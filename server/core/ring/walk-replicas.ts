/**
 * Where the copies of a key go: the owner, then the nodes met on the way around the circle, those of a zone that has no copy yet first. Every node
 * met is listed with the reason why it was taken or passed over.
 */
import { pointAt } from "./locate.ts";
import type { Ring } from "./types.ts";

export type WalkReason =
  /** Owns the key. */
  | "owner"
  /** Its zone had no copy yet. */
  | "new-zone"
  /** Its zone has a copy already. */
  | "zone-taken"
  /** Its zone has a copy already, but there are fewer zones than copies. */
  | "no-zone-left";

export type WalkStep = {
  readonly node: string;
  readonly zone: string | null;
  /** Position of the point by which it was met. */
  readonly position: number;
  /** 1: the owner, 2: the first further copy, …; null: holds none. */
  readonly copy: number | null;
  readonly why: WalkReason;
  /** Met before the owner: at its load bound, it passed the key on. */
  readonly atBound: boolean;
};

type Met = { index: number; position: number; copy: number | null; why: WalkReason; atBound: boolean };

export function walkReplicas(ring: Ring, position: number, copies: number): WalkStep[] {
  return meetNodes(ring, pointAt(ring, position), copies).map(({ index, position: at, copy, why, atBound }) => {
    const { id, zone } = ring.nodes[index]!;
    return { node: id, zone, position: at, copy, why, atBound };
  });
}

/** Indices of the nodes that hold the copies, owner first. */
export function replicaIndices(ring: Ring, position: number, copies: number): number[] {
  const holders = meetNodes(ring, pointAt(ring, position), copies).filter(({ copy }) => copy !== null);
  return holders.sort((a, b) => a.copy! - b.copy!).map(({ index }) => index);
}

function meetNodes(ring: Ring, start: number, copies: number): Met[] {
  if (start < 0) return [];
  const owner = ring.owners[start]!;
  const wanted = Math.min(copies, ring.nodes.filter((node) => node.weight > 0).length);
  const zonesLeft = new Set(ring.nodes.flatMap((node, index) => (node.weight > 0 ? [zoneKey(ring, index)] : [])));
  zonesLeft.delete(zoneKey(ring, owner));
  const met = new Map<number, Met>();
  let taken = 1;
  let ownerMet = false;
  const count = ring.points.length;
  for (let step = 0, at = start; step < count; step++, at = at + 1 === count ? 0 : at + 1) {
    if (ownerMet && (taken >= wanted || (zonesLeft.size === 0 && met.size >= wanted))) break;
    const index = ring.points[at]!;
    if (met.has(index)) continue;
    const entry: Met = { index, position: ring.positions[at]!, copy: null, why: "zone-taken", atBound: !ownerMet };
    met.set(index, entry);
    if (index === owner) {
      ownerMet = true;
      Object.assign(entry, { copy: 1, why: "owner", atBound: false });
    } else if (taken < wanted && zonesLeft.delete(zoneKey(ring, index))) {
      Object.assign(entry, { copy: ++taken, why: "new-zone" });
    }
  }
  for (const entry of met.values()) {
    if (entry.copy === null && taken < wanted) Object.assign(entry, { copy: ++taken, why: "no-zone-left" });
  }
  return [...met.values()];
}

/** A node whose zone is not known counts as a zone of its own. */
function zoneKey(ring: Ring, index: number): string {
  const { zone, id } = ring.nodes[index]!;
  return zone === null ? `node:${id}` : `zone:${zone}`;
}
