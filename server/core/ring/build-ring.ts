/**
 * A consistent-hash ring (Karger et al. 1997) with weighted virtual nodes. Where a point lies depends on its node's id, its number and the seed
 * alone, so that a node that comes or goes moves only keys of its own.
 */
import { boundLoad } from "./bound-load.ts";
import { hashKey, mix32 } from "./hash.ts";
import { CIRCLE, type Ring, type RingNode, type RingSpec } from "./types.ts";

/** Points of one ring at most: position and number of a point share the 53 bits of a double while they are sorted. */
export const POINTS_LIMIT = 2 ** 21;
const NODES_LIMIT = 2 ** 16;

export function buildRing(spec: RingSpec): Ring {
  const nodes = [...spec.nodes].sort(byId);
  if (nodes.length > NODES_LIMIT) throw new RangeError(`A ring holds at most ${NODES_LIMIT} nodes.`);
  for (const [i, node] of nodes.entries()) {
    if (node.id === nodes[i + 1]?.id) throw new RangeError(`The node ${node.id} is listed twice.`);
  }
  const rounds = placePoints(nodes, spec.vnodes, spec.seed);
  return arrangeRing(nodes, rounds.positions, rounds.owners, spec.seed, spec.loadBound);
}

/** Virtual nodes of one node: at least one as soon as it has any weight. */
export function pointCount(node: RingNode, vnodes: number): number {
  return node.weight > 0 ? Math.max(1, Math.round(node.weight * vnodes)) : 0;
}

type Placed = { positions: Uint32Array; owners: Uint16Array };

/** Points in rounds: every node has placed the same part of its points at the end of each. */
function placePoints(nodes: readonly RingNode[], vnodes: number, seed: number): Placed {
  const counts = nodes.map((node) => pointCount(node, vnodes));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > POINTS_LIMIT) {
    throw new RangeError(`${total} virtual nodes are more than a ring holds (${POINTS_LIMIT}): give fewer per node.`);
  }
  const first = nodes.map((node) => hashKey(node.id, seed));
  const second = nodes.map((node) => hashKey(node.id, seed ^ 0x5bd1e995));
  const positions = new Uint32Array(total);
  const owners = new Uint16Array(total);
  const placed = new Uint32Array(nodes.length);
  const rounds = counts.reduce((most, count) => Math.max(most, count), 0);
  let filled = 0;
  for (let round = 1; round <= rounds; round++) {
    for (let n = 0; n < nodes.length; n++) {
      const due = Math.floor((round * counts[n]!) / rounds);
      if (placed[n]! >= due) continue;
      positions[filled] = pointPosition(first[n]!, second[n]!, placed[n]!);
      owners[filled++] = n;
      placed[n]! += 1;
    }
  }
  return { positions, owners };
}

/** Two independent hashes of the id: points of two nodes that agree in one of them still lie apart. */
function pointPosition(first: number, second: number, number: number): number {
  return mix32(first ^ mix32(second + Math.imul(number, 0x9e3779b9)));
}

/**
 * Sorts points into a ring. They may come from any placement (tests bring ketama's); their order is the order in which they claim their arcs under
 * a load bound.
 */
export function arrangeRing(
  nodes: readonly RingNode[],
  placedAt: Uint32Array,
  placedBy: Uint16Array,
  seed = 0,
  loadBound: number | null = null,
): Ring {
  const count = placedAt.length;
  const sorted = new Float64Array(count);
  for (let i = 0; i < count; i++) sorted[i] = placedAt[i]! * POINTS_LIMIT + i;
  sorted.sort();
  const positions = new Uint32Array(count);
  const points = new Uint16Array(count);
  const claims = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const position = Math.floor(sorted[i]! / POINTS_LIMIT);
    const claim = sorted[i]! - position * POINTS_LIMIT;
    positions[i] = position;
    points[i] = placedBy[claim]!;
    claims[claim] = i;
  }
  orderTies(positions, points);
  const bucketShift = chooseBucketShift(count);
  return {
    nodes,
    seed,
    positions,
    points,
    owners: loadBound === null ? points : boundLoad({ nodes, positions, points, claims, loadBound }),
    buckets: indexBuckets(positions, bucketShift),
    bucketShift,
  };
}

/** Points at the same position: by node, so that no third node's coming or going can swap them. */
function orderTies(positions: Uint32Array, points: Uint16Array): void {
  for (let i = 1; i < positions.length; i++) {
    for (let j = i; j > 0 && positions[j] === positions[j - 1] && points[j]! < points[j - 1]!; j--) {
      [points[j], points[j - 1]] = [points[j - 1]!, points[j]!];
    }
  }
}

/** About two buckets a point: a look-up then reads one bucket and one or two points. */
function chooseBucketShift(count: number): number {
  return Math.max(8, 31 - Math.ceil(Math.log2(Math.max(1, count))));
}

function indexBuckets(positions: Uint32Array, bucketShift: number): Uint32Array {
  const buckets = new Uint32Array(CIRCLE / 2 ** bucketShift);
  let at = 0;
  for (let b = 0; b < buckets.length; b++) {
    const start = b * 2 ** bucketShift;
    while (at < positions.length && positions[at]! < start) at++;
    buckets[b] = at;
  }
  return buckets;
}

/** Code units, not the locale's order: the same ring everywhere. */
function byId(a: RingNode, b: RingNode): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
