import { describe, expect, it } from "vitest";
import { fitsHistory } from "./timelines.ts";

const history = [
  { timeline: 3, switchLsn: null },
  { timeline: 4, switchLsn: 1_000 },
  { timeline: 7, switchLsn: 5_000 },
];

describe("a position in a history of timelines", () => {
  it("fits up to the point where the next timeline left its own, and anywhere on the last", () => {
    expect(fitsHistory(history, 3, 1_000)).toBe(true);
    expect(fitsHistory(history, 3, 1_001)).toBe(false);
    expect(fitsHistory(history, 4, 5_000)).toBe(true);
    expect(fitsHistory(history, 4, 5_001)).toBe(false);
    expect(fitsHistory(history, 7, 999_999)).toBe(true);
  });

  it("does not fit before the known history, behind it, or past a fork of unknown place", () => {
    expect(fitsHistory(history, 2, 1)).toBe(false);
    expect(fitsHistory(history, 8, 1)).toBe(false);
    expect(fitsHistory([...history, { timeline: 8, switchLsn: null }], 7, 1)).toBe(false);
    expect(fitsHistory([], 1, 1)).toBe(false);
  });
});
