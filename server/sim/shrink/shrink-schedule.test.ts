import { describe, expect, it } from "vitest";
import { soundHands } from "../agent-parts.ts";
import { type RunOptions, runSeed } from "../run-seed.ts";
import { formatReplay } from "./replay-line.ts";
import { formatSchedule, parseSchedule } from "./schedule-text.ts";
import { shrinkSchedule } from "./shrink-schedule.ts";

/** A promoted server waits for nobody: any fault that costs the primary its office shows it. */
const broken: Omit<RunOptions, "schedule"> = {
  seed: 1,
  lengthMs: 200_000,
  settleMs: 40_000,
  faults: ["crash", "pgkill", "freeze", "partition", "slow-disk", "agent-kill", "clock-jump", "blip"],
  hands: { ...soundHands, namesOnPromote: () => "" },
};

describe("shrinking", () => {
  it("reduces a failing run to a schedule that can be written down and fails again", async () => {
    const shrunk = await shrinkSchedule(broken, "acknowledged-writes");
    expect(shrunk?.drawn).toBeGreaterThan(4);
    expect(shrunk?.schedule).toHaveLength(1);
    if (shrunk === null) return;
    const schedule = parseSchedule(formatSchedule(shrunk.schedule));
    expect(schedule).toEqual(shrunk.schedule);
    const replayed = { ...broken, schedule, delays: shrunk.delays, lengthMs: shrunk.lengthMs };
    const { violations } = await runSeed({ ...replayed, stopAt: ["acknowledged-writes"] });
    expect(violations).toContainEqual(shrunk.violation);
    expect((await runSeed({ ...replayed, hands: soundHands })).violations).toEqual([]);
  });

  it("has nothing to say about a run that does not fail", async () => {
    expect(await shrinkSchedule({ seed: 1, lengthMs: 60_000, settleMs: 20_000 }, "timelines")).toBeNull();
  });
});

describe("a written schedule", () => {
  const text = "2:crash@12000+800 7:partition@15000+2500";

  it("is read as it was written", () => {
    const schedule = parseSchedule(text);
    expect(schedule.map(({ nemesis }) => nemesis.name)).toEqual(["crash", "partition"]);
    expect(formatSchedule(schedule)).toBe(text);
  });

  it("says which part is no fault", () => {
    expect(() => parseSchedule("2:crash@12000+800 3:earthquake@1+1")).toThrow(/"3:earthquake@1\+1" is no fault/);
    expect(() => parseSchedule("crash")).toThrow(/"crash" is no fault/);
  });

  it("stands in the line that replays it, with what else shaped the run", () => {
    const schedule = parseSchedule("2:crash@12000+800");
    const plain = { seed: 4, minutes: 10, mutant: null, only: ["crash"], async: false, delays: null, schedule: null };
    expect(formatReplay(plain)).toBe("npm run sim -- --seed 4 --only crash");
    expect(formatReplay({ ...plain, minutes: 1.7, mutant: "m", delays: 5, schedule })).toBe(
      'npm run sim -- --seed 4 --minutes 1.7 --mutant m --delays 5 --schedule "2:crash@12000+800"',
    );
  });
});
