/** What a change of the nodes would move, before anybody makes it: on a ring, and on a table of slots. */
import { buildRing } from "./build-ring.ts";
import { diffRings, type Flow, type MovedRange } from "./diff-rings.ts";
import { evenSplitShare, moduloShare } from "./other-rules.ts";
import { balance, fairShares, ownershipShares } from "./ownership.ts";
import { planSlotMoves, type SlotMove } from "./slot-moves.ts";
import type { Ring, RingNode, RingSpec } from "./types.ts";
import { replicaIndices } from "./walk-replicas.ts";

export type OwnershipChange = {
  readonly node: string;
  readonly zone: string | null;
  readonly weightBefore: number;
  readonly weightAfter: number;
  readonly shareBefore: number;
  readonly shareAfter: number;
};

export type WhatIf = {
  readonly ownership: readonly OwnershipChange[];
  readonly flows: readonly Flow[];
  /** Share of the keys that get another owner. */
  readonly movedShare: number;
  /** Copies to make, as a part of all keys (with 3 copies up to 3); the same as `movedShare` where only owners are kept. */
  readonly copiedShare: number;
  /** The least that any placement has to move for the same ownership afterwards: what each node gains. */
  readonly minimalShare: number;
  readonly moduloShare: number;
  readonly evenSplitShare: number;
  /** Fullest node over its fair share. */
  readonly balanceBefore: number | null;
  readonly balanceAfter: number | null;
};

export type RingWhatIf = WhatIf & { readonly ranges: readonly MovedRange[] };
export type SlotWhatIf = WhatIf & { readonly moves: readonly SlotMove[] };

export function whatIfRing(spec: RingSpec, nodesAfter: readonly RingNode[], copies: number): RingWhatIf {
  const before = buildRing(spec);
  const after = buildRing({ ...spec, nodes: nodesAfter });
  const { ranges, flows, movedShare } = diffRings(before, after);
  const shares = { before: sharesById(before), after: sharesById(after) };
  const copiedShare = copies > 1 ? estimateCopies(before, after, copies) : movedShare;
  return { ranges, ...describeChange(spec.nodes, nodesAfter, shares, { movedShare, copiedShare, flows }) };
}

export function whatIfSlots(
  owners: readonly (string | null)[],
  nodesBefore: readonly RingNode[],
  nodesAfter: readonly RingNode[],
): SlotWhatIf {
  const { moves } = planSlotMoves(
    owners,
    nodesAfter.map(({ id, weight }) => ({ node: id, weight })),
  );
  const ownersAfter = [...owners];
  for (const { slot, to } of moves) ownersAfter[slot] = to;
  const shares = { before: sharesOfSlots(owners), after: sharesOfSlots(ownersAfter) };
  const movedShare = moves.length / owners.length;
  const flows = flowsOfMoves(moves, owners.length);
  return { moves, ...describeChange(nodesBefore, nodesAfter, shares, { movedShare, copiedShare: movedShare, flows }) };
}

type Shares = { readonly before: ReadonlyMap<string, number>; readonly after: ReadonlyMap<string, number> };
type Movement = Pick<WhatIf, "movedShare" | "copiedShare" | "flows">;

function describeChange(
  nodesBefore: readonly RingNode[],
  nodesAfter: readonly RingNode[],
  shares: Shares,
  movement: Movement,
): WhatIf {
  const known = new Map([...nodesBefore, ...nodesAfter].map((node) => [node.id, node]));
  const weightIn = (nodes: readonly RingNode[], id: string) => nodes.find((node) => node.id === id)?.weight ?? 0;
  const ownership = [...known.values()].map(({ id, zone }) => ({
    node: id,
    zone,
    weightBefore: weightIn(nodesBefore, id),
    weightAfter: weightIn(nodesAfter, id),
    shareBefore: shares.before.get(id) ?? 0,
    shareAfter: shares.after.get(id) ?? 0,
  }));
  const gained = ownership.reduce((sum, entry) => sum + Math.max(0, entry.shareAfter - entry.shareBefore), 0);
  return {
    ...movement,
    ownership,
    minimalShare: gained,
    moduloShare: moduloShare(nodesBefore, nodesAfter),
    evenSplitShare: evenSplitShare(nodesBefore, nodesAfter),
    balanceBefore: balanceOf(nodesBefore, shares.before),
    balanceAfter: balanceOf(nodesAfter, shares.after),
  };
}

function balanceOf(nodes: readonly RingNode[], shares: ReadonlyMap<string, number>): number | null {
  return balance(
    nodes.map(({ id }) => shares.get(id) ?? 0),
    fairShares(nodes),
  );
}

function sharesById(ring: Ring): ReadonlyMap<string, number> {
  const shares = ownershipShares(ring);
  return new Map(ring.nodes.map((node, i) => [node.id, shares[i]!]));
}

function sharesOfSlots(owners: readonly (string | null)[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const owner of owners) if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return new Map([...counts].map(([node, count]) => [node, count / owners.length]));
}

function flowsOfMoves(moves: readonly SlotMove[], slots: number): Flow[] {
  const flows = new Map<string, { from: string | null; to: string; count: number }>();
  for (const { from, to } of moves) {
    const key = JSON.stringify([from, to]);
    const flow = flows.get(key) ?? { from, to, count: 0 };
    flow.count += 1;
    flows.set(key, flow);
  }
  const list = [...flows.values()].map(({ from, to, count }) => ({ from, to, share: count / slots }));
  return list.sort((a, b) => b.share - a.share);
}

/** Evenly spread positions at which the copies are compared. */
const COPY_SAMPLES = 8_192;

function estimateCopies(before: Ring, after: Ring, copies: number): number {
  let made = 0;
  for (let i = 0; i < COPY_SAMPLES; i++) {
    const position = Math.floor(((i + 0.5) * 2 ** 32) / COPY_SAMPLES);
    const had = new Set(replicaIndices(before, position, copies).map((index) => before.nodes[index]!.id));
    for (const index of replicaIndices(after, position, copies)) if (!had.has(after.nodes[index]!.id)) made++;
  }
  return made / COPY_SAMPLES;
}
