import { describe, expect, it } from "vitest";
import { catchMutant } from "./catch-mutant.ts";
import { readPlace } from "./load-mutant.ts";
import { mutants } from "./mutants.ts";

describe("mutants", () => {
  it.each(mutants)("$name still has something to break", ({ name, source }) => {
    if (source === undefined) return;
    const { text } = readPlace(name, source);
    expect(text.replace(source.find, () => source.replace)).not.toBe(text);
  });

  it("are caught, here one of them; `npm run sim:mutants` tries all", async () => {
    const mutant = mutants.find(({ name }) => name === "boot-unfenced");
    if (mutant === undefined) throw new Error("there is no such mutant");
    expect(await catchMutant(mutant, 5)).toMatchObject({ caughtBy: "fenced-boot" });
  });
});
