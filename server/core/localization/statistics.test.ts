import { describe, expect, it } from "vitest";
import { binomialSurprise, mean, median, overWindows, quantile, trimmedMean } from "./statistics.ts";

describe("order statistics", () => {
  it("interpolates between neighbours and leaves its input alone", () => {
    const values = [4, 1, 3, 2];
    expect(quantile(values, 0.5)).toBe(2.5);
    expect(quantile(values, 1)).toBe(4);
    expect(median([7])).toBe(7);
    expect(values).toEqual([4, 1, 3, 2]);
  });

  it("is not a number where there is nothing to measure", () => {
    expect(quantile([], 0.5)).toBeNaN();
    expect(mean([])).toBeNaN();
    expect(trimmedMean([], 0.2)).toBeNaN();
  });

  it("trims both ends", () => {
    expect(trimmedMean([1, 2, 3, 4, 1000], 0.2)).toBe(3);
    expect(trimmedMean([1, 2, 3], 0.2)).toBe(2);
  });

  it("slides in windows of at most a quarter of the values", () => {
    expect(overWindows([1, 1, 2, 2, 3, 3, 4, 4], 10, mean)).toEqual([1, 2, 3, 4]);
    expect(overWindows([1, 2, 3, 4, 5, 6, 7, 8], 1, mean)).toHaveLength(8);
    expect(overWindows([], 3, mean)).toEqual([]);
  });
});

describe("binomialSurprise", () => {
  it("is zero for equal rates and for empty samples", () => {
    expect(binomialSurprise(5, 10, 50, 100)).toBeCloseTo(0, 9);
    expect(binomialSurprise(0, 0, 3, 10)).toBe(0);
  });

  it("grows with the sample and is bounded by it", () => {
    const few = binomialSurprise(0, 3, 3, 3);
    const many = binomialSurprise(0, 30, 30, 30);
    expect(few).toBeGreaterThan(0);
    expect(many).toBeGreaterThan(few);
    expect(many).toBeLessThan(2 * 60);
  });
});
