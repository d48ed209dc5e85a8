import { describe, expect, it } from "vitest";
import { firstDivergentLsn, type History, parseLineage } from "./divergence.ts";

const history: History = {
  timeline: 3,
  flushLsn: 9_000,
  lineage: parseLineage("1\t0/3E8\tno recovery target specified\n\n2\t0/7D0\tno recovery target specified\n"),
};

describe("what only this member has", () => {
  it("begins where the primary left our timeline", () => {
    expect(firstDivergentLsn({ timeline: 1, lsn: 1_500 }, history)).toBe(1_000);
    expect(firstDivergentLsn({ timeline: 2, lsn: 2_001 }, history)).toBe(2_000);
  });

  it("is nothing up to that point", () => {
    expect(firstDivergentLsn({ timeline: 1, lsn: 1_000 }, history)).toBeNull();
    expect(firstDivergentLsn({ timeline: 3, lsn: 9_000 }, history)).toBeNull();
  });

  it("is what lies ahead of the primary on one and the same timeline", () => {
    expect(firstDivergentLsn({ timeline: 3, lsn: 9_500 }, history)).toBe(9_000);
  });

  it("is everything when our end is unknown, or the primary never was on our timeline", () => {
    expect(firstDivergentLsn(null, history)).toBe(0);
    expect(firstDivergentLsn({ timeline: 4, lsn: 100 }, history)).toBe(0);
  });
});
