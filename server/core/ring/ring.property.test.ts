import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildRing, pointCount } from "./build-ring.ts";
import { diffRings } from "./diff-rings.ts";
import { mix32 } from "./hash.ts";
import { keyPosition, locate, ownerIndex, pointAt } from "./locate.ts";
import { fairShares, ownershipShares } from "./ownership.ts";
import { CIRCLE, type RingNode, type RingSpec } from "./types.ts";
import { replicaIndices, walkReplicas } from "./walk-replicas.ts";

const node = fc.record({
  id: fc.string({ minLength: 1, maxLength: 8 }),
  weight: fc.oneof(
    fc.constant(1),
    fc.constant(0),
    fc.integer({ min: 1, max: 40 }).map((tenths) => tenths / 10),
  ),
  zone: fc.option(fc.constantFrom("a", "b", "c")),
});
const someNodes = fc.uniqueArray(node, { selector: ({ id }) => id, minLength: 1, maxLength: 12 });
const someSpec = fc.record({
  nodes: someNodes,
  vnodes: fc.integer({ min: 1, max: 64 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  loadBound: fc.option(fc.constantFrom(0.02, 0.1, 0.5)),
});
const plain = (spec: RingSpec): RingSpec => ({ ...spec, loadBound: null });
const positions = Array.from({ length: 400 }, (_, i) => mix32(i));
const ownerAt = (spec: RingSpec) => {
  const ring = buildRing(spec);
  return (position: number) => ring.nodes[ring.owners[pointAt(ring, position)]!]?.id ?? null;
};

describe("ring", () => {
  it("is owned wholly, each position by one node, none by a node without weight", () => {
    fc.assert(
      fc.property(someSpec, (spec) => {
        const ring = buildRing(spec);
        const shares = ownershipShares(ring);
        const anybody = spec.nodes.some(({ weight }) => weight > 0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(anybody ? 1 : 0, 9);
        for (const [i, { weight }] of ring.nodes.entries()) if (weight === 0) expect(shares[i]).toBe(0);
      }),
    );
  });

  it("finds the first point at or after a position, around the top", () => {
    fc.assert(
      fc.property(someSpec, fc.integer({ min: 0, max: CIRCLE - 1 }), (spec, anywhere) => {
        const ring = buildRing(spec);
        for (const position of [anywhere, 0, CIRCLE - 1, ...ring.positions.slice(0, 5)]) {
          const found = ring.positions.findIndex((point) => point >= position);
          const expected = found < 0 && ring.positions.length > 0 ? 0 : found;
          expect(pointAt(ring, position)).toBe(expected);
        }
      }),
    );
  });

  it("does not depend on the order in which nodes are listed", () => {
    fc.assert(
      fc.property(someSpec, fc.infiniteStream(fc.nat()), (spec, numbers) => {
        const rank = new Map(spec.nodes.map(({ id }) => [id, numbers.next().value]));
        const shuffled = [...spec.nodes].sort((a, b) => rank.get(a.id) - rank.get(b.id));
        expect(buildRing({ ...spec, nodes: shuffled })).toEqual(buildRing(spec));
      }),
    );
  });

  it("moves only keys of the node that comes, goes, or changes its weight", () => {
    fc.assert(
      fc.property(someSpec, node, (anySpec, extra) => {
        const spec = plain({ ...anySpec, nodes: anySpec.nodes.filter(({ id }) => id !== extra.id) });
        const without = ownerAt(spec);
        const withIt = ownerAt({ ...spec, nodes: [...spec.nodes, extra] });
        const heavier = ownerAt({ ...spec, nodes: [...spec.nodes, { ...extra, weight: extra.weight + 1 }] });
        for (const position of positions) {
          if (withIt(position) !== extra.id) expect(withIt(position)).toBe(without(position));
          if (heavier(position) !== withIt(position)) expect(heavier(position)).toBe(extra.id);
        }
      }),
    );
  });

  it("keeps everybody within the load bound as soon as there are enough virtual nodes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(), fc.constantFrom(0.02, 0.05, 0.2), (n, seed, loadBound) => {
        const nodes = Array.from({ length: n }, (_, i) => ({ id: `n${i}`, weight: 1 + (i % 3), zone: null }));
        const ring = buildRing({ nodes, vnodes: 256, seed, loadBound });
        const fair = fairShares(ring.nodes);
        for (const [i, share] of ownershipShares(ring).entries()) {
          expect(share).toBeLessThanOrEqual(fair[i]! * (1 + loadBound) + 1e-9);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("tells exactly which ranges differ between two rings", () => {
    fc.assert(
      fc.property(someSpec, someNodes, (spec, nodesAfter) => {
        const ownerBefore = ownerAt(spec);
        const ownerAfter = ownerAt({ ...spec, nodes: nodesAfter });
        const diff = diffRings(buildRing(spec), buildRing({ ...spec, nodes: nodesAfter }));
        for (const position of [0, CIRCLE - 1, ...positions]) {
          const range = diff.ranges.find(({ start, end }) => start <= position && position <= end);
          if (ownerBefore(position) === ownerAfter(position)) expect(range).toBeUndefined();
          else expect(range).toMatchObject({ from: ownerBefore(position), to: ownerAfter(position) });
        }
        const moved = diff.flows.reduce((sum, { share }) => sum + share, 0);
        expect(moved).toBeCloseTo(diff.movedShare, 9);
      }),
    );
  });

  it("gives each node points in proportion to its weight", () => {
    const at = (weight: number) => pointCount({ id: "n", weight, zone: null }, 100);
    expect([at(0), at(0.001), at(0.5), at(1), at(2.5)]).toEqual([0, 1, 50, 100, 250]);
  });
});

describe("replica walk", () => {
  const copies = fc.integer({ min: 1, max: 5 });
  const zoneOf = ({ zone, id }: RingNode) => zone ?? `node ${id}`;

  it("takes distinct nodes with weight, the owner first, in as many zones as there are", () => {
    fc.assert(
      fc.property(someSpec, copies, fc.string(), (spec, count, key) => {
        const ring = buildRing(spec);
        const holders = replicaIndices(ring, keyPosition(ring, key), count).map((index) => ring.nodes[index]!);
        const able = spec.nodes.filter(({ weight }) => weight > 0);
        expect(new Set(holders).size).toBe(Math.min(count, able.length));
        expect(holders.every(({ weight }) => weight > 0)).toBe(true);
        expect(holders[0]?.id ?? null).toBe(locate(ring, key));
        const zones = new Set(able.map(zoneOf)).size;
        expect(new Set(holders.map(zoneOf)).size).toBe(Math.min(holders.length, zones));
      }),
    );
  });

  it("gives each node it met a reason", () => {
    fc.assert(
      fc.property(someSpec, copies, fc.string(), (spec, count, key) => {
        const ring = buildRing(spec);
        const steps = walkReplicas(ring, keyPosition(ring, key), count);
        const seen = new Set<string>();
        for (const { node: id, zone, copy, why, atBound } of steps) {
          const zoneName = zone ?? `node ${id}`;
          if (why === "owner") expect(copy).toBe(1);
          if (why === "zone-taken") expect(copy).toBeNull();
          if (why === "new-zone") expect(seen.has(zoneName)).toBe(false);
          if (atBound) expect(spec.loadBound).not.toBeNull();
          seen.add(zoneName);
        }
        if (steps.length > 0) expect(ownerIndex(ring, key)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
