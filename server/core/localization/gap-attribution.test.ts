import { describe, expect, it } from "vitest";
import { attributeGaps } from "./gap-attribution.ts";

const edge = (from: number, to: number, lateMs: number) => ({ from, to, lateMs });

describe("attributeGaps", () => {
  it("blames the one late callee and not its caller", () => {
    const [first, ...rest] = attributeGaps([edge(0, 1, 200), edge(0, 2, 0), edge(0, 3, 0)]);
    expect(first).toMatchObject({ node: 1, magnitude: 200 });
    expect(rest).toEqual([]);
  });

  it("blames the node that all late edges share, whichever way they point", () => {
    const [first] = attributeGaps([edge(0, 1, 100), edge(1, 2, 100), edge(1, 3, 100), edge(0, 4, 0)]);
    expect(first!.node).toBe(1);
    expect(first!.late).toHaveLength(3);
  });

  it("leaves a second, independent fault for the next suspect", () => {
    const shares = attributeGaps([edge(0, 1, 100), edge(2, 3, 40)]);
    expect(shares.map(({ magnitude }) => magnitude)).toEqual([100, 40]);
  });

  it("says nothing when nothing is late", () => {
    expect(attributeGaps([edge(0, 1, 0)])).toEqual([]);
    expect(attributeGaps([])).toEqual([]);
  });
});
