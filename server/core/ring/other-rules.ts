/** What the same change would move under simpler rules: beside a plan they show what it saves. */
import { fairShares } from "./ownership.ts";
import type { RingNode } from "./types.ts";

/** Residues are counted exactly up to this period, and evenly spread ones beyond it. */
const RESIDUES_LIMIT = 1_000_000;

/** `h(k) = k mod n` over a list in which a node of twice the weight stands twice. */
export function moduloShare(before: readonly RingNode[], after: readonly RingNode[]): number {
  const [listBefore, listAfter] = slotLists(before, after);
  const n = listBefore.length;
  const m = listAfter.length;
  if (n === 0 || m === 0) return n === m ? 0 : 1;
  const period = (n / greatestDivisor(n, m)) * m;
  const count = Math.min(period, RESIDUES_LIMIT);
  let moved = 0;
  for (let i = 0; i < count; i++) {
    const k = count === period ? i : Math.floor((i * period) / count);
    if (listBefore[k % n] !== listAfter[k % m]) moved++;
  }
  return moved / count;
}

/** The circle cut anew into one contiguous range a node, as a fresh cluster is laid out. */
export function evenSplitShare(before: readonly RingNode[], after: readonly RingNode[]): number {
  const cutsBefore = cuts(before);
  const cutsAfter = cuts(after);
  let kept = 0;
  for (const [id, [from, to]] of cutsBefore) {
    const now = cutsAfter.get(id);
    if (now !== undefined) kept += Math.max(0, Math.min(to, now[1]) - Math.max(from, now[0]));
  }
  return Math.max(0, 1 - kept);
}

function cuts(nodes: readonly RingNode[]): Map<string, [number, number]> {
  let at = 0;
  const ranges = new Map<string, [number, number]>();
  for (const [i, share] of fairShares(nodes).entries()) {
    ranges.set(nodes[i]!.id, [at, at + share]);
    at += share;
  }
  return ranges;
}

/** Weights as whole numbers of places in the list, on one scale for both. */
function slotLists(before: readonly RingNode[], after: readonly RingNode[]): [string[], string[]] {
  const places = (node: RingNode) => Math.round(node.weight * 10);
  const divisor = [...before, ...after].reduce((gcd, node) => greatestDivisor(gcd, places(node)), 0);
  const list = (nodes: readonly RingNode[]) =>
    nodes.flatMap((node) => new Array<string>(divisor === 0 ? 0 : places(node) / divisor).fill(node.id));
  return [list(before), list(after)];
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
