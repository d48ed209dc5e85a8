/** What the ring screen draws: a key space on a ring or a Redis Cluster's slots, in one shape. */
import {
  type KeySpaceRecord,
  planKeySpace,
  type RingChange,
  type RingNode,
  type WhatIf,
} from "../../server/core/index.ts";
import { buildRing } from "../../server/core/ring/build-ring.ts";
import type { ChangeRefusal } from "../../server/core/ring/change-nodes.ts";
import { keyPosition, pointAt } from "../../server/core/ring/locate.ts";
import { balance, fairShares, ownershipShares } from "../../server/core/ring/ownership.ts";
import { CIRCLE, type Ring } from "../../server/core/ring/types.ts";
import { walkReplicas } from "../../server/core/ring/walk-replicas.ts";

/** Equal parts of the circle for which the picture shows one owner. */
export const BINS = 1_440;

export type Owners = readonly (string | null)[];

export interface PlacementStep {
  readonly node: string;
  readonly zone: string | null;
  readonly copy: number | null;
  /** Message key below `ring.why.`. */
  readonly why: string;
  readonly atBound: boolean;
}

export interface Place {
  /** 0..1 around the circle. */
  readonly part: number;
  readonly slot: number | null;
  readonly owner: string | null;
  readonly steps: readonly PlacementStep[];
}

export interface Arc {
  readonly from: number;
  readonly to: number;
  readonly owner: string;
  /** Whose virtual node ends it. */
  readonly point: string;
}

export interface Placement {
  readonly nodes: readonly (RingNode & { readonly share: number })[];
  readonly balance: number | null;
  readonly owners: Owners;
  locate(key: string): Place;
  at(part: number): Place;
  /** The arcs from a part of the circle onwards, in walk order. */
  arcsFrom(part: number, count: number): readonly Arc[];
}

/** Builds the ring of a key space; some ten milliseconds for a large one. */
export function placeKeySpace(
  space: Pick<KeySpaceRecord, "nodes" | "vnodes" | "seed" | "loadBound" | "copies">,
): Placement {
  const ring = buildRing(space);
  const shares = ownershipShares(ring);
  const at = (position: number): Place => {
    const steps = walkReplicas(ring, position, space.copies);
    return { part: position / CIRCLE, slot: null, owner: steps.find(({ copy }) => copy === 1)?.node ?? null, steps };
  };
  return {
    nodes: ring.nodes.map((node, i) => ({ ...node, share: shares[i]! })),
    balance: balance(shares, fairShares(ring.nodes)),
    owners: sampleOwners(ring),
    locate: (key) => at(keyPosition(ring, key)),
    at: (part) => at(Math.min(CIRCLE - 1, Math.floor(part * CIRCLE))),
    arcsFrom: (part, count) => arcsFrom(ring, Math.floor(part * CIRCLE), count),
  };
}

function sampleOwners(ring: Ring): Owners {
  return Array.from({ length: BINS }, (_, bin) => {
    const at = pointAt(ring, Math.floor(((bin + 0.5) * CIRCLE) / BINS));
    return at < 0 ? null : ring.nodes[ring.owners[at]!]!.id;
  });
}

function arcsFrom(ring: Ring, position: number, count: number): Arc[] {
  const start = pointAt(ring, position);
  if (start < 0) return [];
  const arcs: Arc[] = [];
  let from = position;
  for (let i = 0; i < Math.min(count, ring.positions.length); i++) {
    const at = (start + i) % ring.positions.length;
    const end = ring.positions[at]! + (ring.positions[at]! < from ? CIRCLE : 0);
    arcs.push({
      from: from / CIRCLE,
      to: end / CIRCLE,
      owner: ring.nodes[ring.owners[at]!]!.id,
      point: ring.nodes[ring.points[at]!]!.id,
    });
    from = end;
  }
  return arcs;
}

export type Outcome =
  | {
      readonly refusal: ChangeRefusal | { readonly code: string };
      readonly whatIf: null;
      readonly planHash: null;
      readonly owners: null;
    }
  | { readonly refusal: null; readonly whatIf: WhatIf; readonly planHash: string; readonly owners: Owners };

/** What the changes would do, by the functions that the server judges with. Null: nothing is to change. */
export function foreseeKeySpace(
  space: Pick<KeySpaceRecord, "nodes" | "vnodes" | "seed" | "loadBound" | "copies" | "epoch">,
  changes: readonly RingChange[],
): Outcome | null {
  if (changes.length === 0) return null;
  const plan = planKeySpace(space, changes);
  if (plan.refusal !== null) return { refusal: plan.refusal, whatIf: null, planHash: null, owners: null };
  const owners = sampleOwners(buildRing({ ...space, nodes: plan.nodes }));
  return { refusal: null, whatIf: plan.whatIf, planHash: plan.planHash, owners };
}
