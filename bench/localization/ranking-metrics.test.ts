import { describe, expect, it } from "vitest";
import { accuracyAt, macro, summarize } from "./ranking-metrics.ts";

const ranking = [
  { node: "a", score: 3 },
  { node: "b", score: 2 },
  { node: "c", score: 2 },
  { node: "d", score: 1 },
];

describe("accuracyAt", () => {
  it("counts ties by expectation", () => {
    expect(accuracyAt(1, ranking, "a")).toBe(1);
    expect(accuracyAt(1, ranking, "b")).toBe(0);
    expect(accuracyAt(2, ranking, "b")).toBe(0.5);
    expect(accuracyAt(3, ranking, "c")).toBe(1);
    expect(accuracyAt(3, ranking, "d")).toBe(0);
  });

  it("gives nothing for a node that was not returned", () => {
    expect(accuracyAt(5, ranking, "e")).toBe(0);
    expect(accuracyAt(5, [], "a")).toBe(0);
  });

  it("gives a random guesser its share", () => {
    const tied = ["a", "b", "c", "d"].map((node) => ({ node, score: 0 }));
    expect(accuracyAt(1, tied, "c")).toBe(0.25);
    expect(accuracyAt(3, tied, "c")).toBe(0.75);
  });
});

describe("summaries", () => {
  it("averages cases within a set and sets within the macro", () => {
    const half = summarize([
      { ranking, truth: "a" },
      { ranking, truth: "e" },
    ]);
    expect(half).toEqual({ ac1: 0.5, ac3: 0.5, avg5: 0.5 });
    expect(macro([half, { ac1: 1, ac3: 1, avg5: 1 }]).ac1).toBe(0.75);
  });
});
