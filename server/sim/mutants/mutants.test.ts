import { describe, expect, it } from "vitest";
import { catchMutant } from "./catch-mutant.ts";
import { loadMutant } from "./load-mutant.ts";
import { mutants } from "./mutants.ts";

describe("mutants", () => {
  it.each(mutants)("$name still has something to break", async (mutant) => {
    await expect(loadMutant(mutant)).resolves.toBeDefined();
  });

  it("are caught, here one of them; `npm run sim:mutants` tries all", async () => {
    const mutant = mutants.find(({ name }) => name === "promote-without-quorum");
    if (mutant === undefined) throw new Error("the list of mutants has lost its first one");
    expect(await catchMutant(mutant, 5)).toMatchObject({ caughtBy: "acknowledged-writes" });
  });
});
