import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planSlotMoves, type SlotTarget } from "./slot-moves.ts";

const names = ["a", "b", "c", "d"];
const weight = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom(0.5, 1.5));
const someTargets = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.tuple(weight, weight, weight, weight))
  .map(([n, weights]): SlotTarget[] => names.slice(0, n).map((node, i) => ({ node, weight: weights[i]! })))
  .filter((targets) => targets.some((target) => target.weight > 0));
const someTable = (maxLength: number) =>
  fc.array(fc.option(fc.constantFrom(...names, "gone")), { minLength: 1, maxLength });

function applyMoves(current: readonly (string | null)[], targets: readonly SlotTarget[], tolerance = 0) {
  const { moves, counts } = planSlotMoves(current, targets, { tolerance });
  const after = [...current];
  for (const { slot, from, to } of moves) {
    expect(from).toBe(after[slot]);
    expect(to).not.toBe(from);
    after[slot] = to;
  }
  return { moves, counts, after };
}

/** Every way to share out the slots in numbers that `fits` allows; the fewest moves of any of them. */
function fewestMoves(slots: number, held: readonly number[], fits: (node: number, count: number) => boolean): number {
  const search = (node: number, left: number): number => {
    if (node === held.length) return left === 0 ? 0 : Number.POSITIVE_INFINITY;
    let best = Number.POSITIVE_INFINITY;
    for (let count = 0; count <= left; count++) {
      if (fits(node, count)) best = Math.min(best, Math.max(0, count - held[node]!) + search(node + 1, left - count));
    }
    return best;
  };
  return search(0, slots);
}

describe("planSlotMoves", () => {
  it("ends with every slot owned, in numbers that are fair by weight", () => {
    fc.assert(
      fc.property(someTable(200), someTargets, (current, targets) => {
        const { after, counts } = applyMoves(current, targets);
        const total = targets.reduce((sum, target) => sum + target.weight, 0);
        for (const target of targets) {
          const count = after.filter((owner) => owner === target.node).length;
          expect(count).toBe(counts.get(target.node));
          expect(Math.abs(count - (current.length * target.weight) / total)).toBeLessThan(1);
        }
        expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(current.length);
      }),
    );
  });

  it("makes the fewest moves of all plans with such an end", () => {
    fc.assert(
      fc.property(someTable(14), someTargets, fc.constantFrom(0, 0.1, 0.5), (current, targets, tolerance) => {
        const total = targets.reduce((sum, target) => sum + target.weight, 0);
        const fair = targets.map((target) => (current.length * target.weight) / total);
        const held = targets.map(({ node }) => current.filter((owner) => owner === node).length);
        const fits = (node: number, count: number) =>
          count >= Math.floor(fair[node]! * (1 - tolerance) + 1e-9) &&
          count <= Math.ceil(fair[node]! * (1 + tolerance) - 1e-9);
        const { moves } = applyMoves(current, targets, tolerance);
        expect(moves).toHaveLength(fewestMoves(current.length, held, fits));
      }),
      { numRuns: 300 },
    );
  });

  it("has nothing to do a second time, and does not depend on the order of the targets", () => {
    fc.assert(
      fc.property(someTable(200), someTargets, (current, targets) => {
        const { after, moves } = applyMoves(current, targets);
        expect(planSlotMoves(after, targets).moves).toEqual([]);
        expect(planSlotMoves(current, [...targets].reverse()).moves).toEqual(moves);
      }),
    );
  });

  it("refuses a plan in which nobody may own slots", () => {
    expect(() => planSlotMoves(["a"], [{ node: "a", weight: 0 }])).toThrow("No node may own slots");
  });
});
