import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deadlineAfter, excusedMs, mergeExcuses } from "./excuses.ts";
import { createStallLog, MAX_STALLS, recordTick } from "./self-suspicion.ts";
import { createGroupLog, DEFAULT_GROUP_CONFIG, judgeSiblings, recordGroup } from "./siblings.ts";

const excuses = fc
  .array(fc.record({ fromMs: fc.nat(10_000), lengthMs: fc.nat(3_000) }), { maxLength: 8 })
  .map((spans) => spans.map(({ fromMs, lengthMs }) => ({ fromMs, toMs: fromMs + lengthMs })))
  .map((stalls) => ({ stalls: stalls.sort((a, b) => a.fromMs - b.fromMs), config: { graceMs: 100 } }));

describe("excused time", () => {
  it("is counted once where stalls overlap, and never exceeds the span", () => {
    const twice = {
      stalls: [
        { fromMs: 0, toMs: 100 },
        { fromMs: 50, toMs: 80 },
      ],
      config: { graceMs: 10 },
    };
    expect(excusedMs(twice, 0, 1_000)).toBe(110);
    fc.assert(
      fc.property(excuses, fc.nat(10_000), fc.nat(5_000), (list, fromMs, lengthMs) => {
        const excused = excusedMs(list, fromMs, fromMs + lengthMs);
        expect(excused).toBeGreaterThanOrEqual(0);
        expect(excused).toBeLessThanOrEqual(lengthMs);
      }),
    );
  });

  it("moves the deadline by just the time excused before it", () => {
    fc.assert(
      fc.property(excuses, fc.nat(10_000), fc.integer({ min: 1, max: 5_000 }), (list, sinceMs, silenceMs) => {
        const deadlineMs = deadlineAfter(sinceMs, silenceMs, list);
        expect(deadlineMs - sinceMs - excusedMs(list, sinceMs, deadlineMs)).toBeCloseTo(silenceMs, 6);
      }),
    );
  });

  it("merges two lists in order", () => {
    const a = { stalls: [{ fromMs: 5, toMs: 6 }], config: { graceMs: 1 } };
    const b = { stalls: [{ fromMs: 1, toMs: 2 }], config: { graceMs: 3 } };
    expect(mergeExcuses(a, b)).toEqual({ stalls: [b.stalls[0], a.stalls[0]], config: { graceMs: 3 } });
  });
});

describe("own stalls", () => {
  it("are noticed from a late tick, not from a punctual one", () => {
    const log = createStallLog();
    for (const now of [0, 50, 100, 195]) recordTick(log, now);
    expect(log.stalls).toEqual([]);
    recordTick(log, 5_195);
    expect(log.stalls).toEqual([{ fromMs: 195, toMs: 5_195 }]);
  });

  it("are kept in bounded number", () => {
    const log = createStallLog();
    for (let i = 0; i < 100; i++) recordTick(log, i * 1_000);
    expect(log.stalls).toHaveLength(MAX_STALLS);
  });
});

describe("siblings", () => {
  it("hold single verdicts only when enough and a large enough share are silent", () => {
    expect(judgeSiblings(2, 2).hold).toBe(false);
    expect(judgeSiblings(3, 30).hold).toBe(false);
    expect(judgeSiblings(3, 8).hold).toBe(true);
    expect(judgeSiblings(0, 0)).toEqual({ hold: false, silent: 0, total: 0, share: 0 });
  });

  it("excuse the group's silence while it lasts", () => {
    const log = createGroupLog();
    recordGroup(log, 1_000, 5, 8);
    expect(deadlineAfter(0, 2_500, log)).toBeGreaterThan(DEFAULT_GROUP_CONFIG.maxHoldMs);
    recordGroup(log, 4_000, 1, 8);
    expect(log.stalls).toEqual([{ fromMs: 1_000, toMs: 4_000 }]);
    expect(deadlineAfter(0, 2_500, log)).toBe(2_500 + 3_000 + DEFAULT_GROUP_CONFIG.graceMs);
  });

  it("never hold for ever: one bounded hold until the group recovers", () => {
    const log = createGroupLog();
    for (let now = 0; now <= 200_000; now += 1_000) recordGroup(log, now, 8, 8);
    expect(log.stalls).toEqual([{ fromMs: 0, toMs: DEFAULT_GROUP_CONFIG.maxHoldMs }]);
    recordGroup(log, 201_000, 0, 8);
    recordGroup(log, 202_000, 8, 8);
    expect(log.stalls).toHaveLength(2);
  });
});
