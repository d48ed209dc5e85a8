import { describe, expect, it } from "vitest";
import { type Choice, fitConditionalLogit } from "./conditional-logit.ts";

/** The first feature points at the truth, the second at a decoy, the third is never seen. */
const choice: Choice = {
  rows: [
    [2, 0, 0],
    [0, 2, 0],
  ],
  truth: 0,
  blank: 8,
  weight: 1,
};

describe("fitConditionalLogit", () => {
  it("raises what tells the truth, lowers what misleads and leaves the unseen alone", () => {
    const [useful, misleading, unseen] = fitConditionalLogit([choice, choice], 3);
    expect(useful).toBeGreaterThan(1);
    expect(misleading).toBeLessThan(0.7);
    expect(unseen).toBe(1);
  });

  it("never gives a negative weight and always the same ones", () => {
    const weights = fitConditionalLogit([choice], 3);
    expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
    expect(fitConditionalLogit([choice], 3)).toEqual(weights);
  });
});
