import { describe, expect, it } from "vitest";
import { runSeed } from "./run-seed.ts";

/** A few seeds for every test run; `npm run sim -- --seeds 2000` for an evening. Each failure names the command that replays it. */
const seeds = Array.from({ length: 12 }, (_, index) => index + 1);
const lengthMs = 300_000;

describe("simulation", () => {
  it.each(seeds)(
    "seed %i: five minutes of faults break no invariant, and everything comes right again",
    async (seed) => {
      const { violations, acknowledged } = await runSeed({ seed, lengthMs });
      const replay = `npm run sim -- --seed ${seed} --minutes ${lengthMs / 60_000}`;
      expect(violations.map(({ checker, text }) => `${replay}   # ${checker}: ${text}`)).toEqual([]);
      expect(acknowledged).toBeGreaterThan(100);
    },
  );

  it("plays the same seed the same way", async () => {
    const first = await runSeed({ seed: 5, lengthMs: 60_000, settleMs: 20_000 });
    expect(await runSeed({ seed: 5, lengthMs: 60_000, settleMs: 20_000 })).toEqual(first);
  });
});
