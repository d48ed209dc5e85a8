import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scenarios, tellScenario } from "./scenarios.ts";

/** Regenerate with `UPDATE_SCENARIOS=1 npx vitest run server/sim/scenarios`, and read the difference: it is the review. */
const update = process.env.UPDATE_SCENARIOS === "1";

describe("golden scenarios", () => {
  it.each(scenarios)("$name: $says", async (scenario) => {
    const told = await tellScenario(scenario);
    const file = new URL(`./${scenario.name}.txt`, import.meta.url);
    if (update) writeFileSync(file, told);
    expect(told).toBe(readFileSync(file, "utf8"));
  });
});
