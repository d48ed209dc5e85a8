import { describe, expect, it } from "vitest";
import { catchMutants } from "./mutants.ts";
import { runTransaction } from "./run.ts";

describe("transactions under crashes and a bad network", () => {
  it("keep their promises; `npm run sim:transactions` tries many more", () => {
    for (let seed = 1; seed <= 400; seed++) expect(runTransaction({ seed })).toMatchObject({ seed, violations: [] });
  });

  it("run the same way again from the same seed", () => {
    expect(runTransaction({ seed: 7 })).toEqual(runTransaction({ seed: 7 }));
  });

  it("break when a rule is broken", () => {
    expect(catchMutants(600).filter(({ caughtBy }) => caughtBy === null)).toEqual([]);
  });
});
