import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ddmin } from "./ddmin.ts";

const holdsAll =
  (wanted: readonly number[]) =>
  async (part: readonly number[]): Promise<boolean> =>
    wanted.every((item) => part.includes(item));

describe("ddmin", () => {
  it("finds the two that fail together, wherever they stand", async () => {
    const items = Array.from({ length: 40 }, (_, index) => index);
    expect(await ddmin(items, holdsAll([3, 38]))).toEqual([3, 38]);
  });

  it("says nothing is needed when it fails without anything", async () => {
    expect(await ddmin([1, 2, 3], async () => true)).toEqual([]);
  });

  it("asks no more than quadratically often", async () => {
    let asked = 0;
    const items = Array.from({ length: 30 }, (_, index) => index);
    const wanted = items.filter((item) => item % 3 === 0);
    const found = await ddmin(items, async (part) => {
      asked++;
      return holdsAll(wanted)(part);
    });
    expect(found).toEqual(wanted);
    expect(asked).toBeLessThan(items.length ** 2 + 3 * items.length);
  });

  it("keeps what fails, its order, and nothing that can be left out", async () => {
    const failing = fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(failing, fc.integer({ min: 26, max: 40 }), async (wanted, length) => {
        const items = Array.from({ length }, (_, index) => index);
        const fails = holdsAll(wanted);
        const found = await ddmin(items, fails);
        expect(found).toEqual([...new Set(wanted)].sort((a, b) => a - b));
      }),
    );
  });

  it("ends at a part of which nothing single can go, though a smaller one may exist", async () => {
    // Fails for every even number of items that holds the first: no single one can be left out of two.
    const fails = async (part: readonly number[]): Promise<boolean> => part.includes(0) && part.length % 2 === 0;
    const found = await ddmin([0, 1, 2, 3, 4, 5], fails);
    expect(await fails(found)).toBe(true);
    for (const left of found) expect(await fails(found.filter((item) => item !== left))).toBe(false);
  });
});
