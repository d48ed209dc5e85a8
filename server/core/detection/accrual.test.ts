import { describe, expect, it } from "vitest";
import {
  type Beat,
  createDetector,
  type DetectorState,
  isOverdue,
  isSuspected,
  nextDeadlineMs,
  recordArrival,
  suspicion,
} from "./accrual.ts";
import { createStallLog, recordTick } from "./self-suspicion.ts";

const beat = (seq: number, arrivalMs: number, bootId = "a"): Beat => ({
  seq,
  bootId,
  senderMonoMs: seq * 1000,
  arrivalMs,
});

function steady(beats: number): DetectorState {
  const state = createDetector({ intervalMs: 1000, mistakesPerNodeDay: 1 });
  for (let seq = 0; seq < beats; seq++) recordArrival(state, beat(seq, seq * 1000 + (seq % 7)));
  return state;
}

describe("accrual detector", () => {
  it("suspects nobody before the first beat", () => {
    const state = createDetector({ intervalMs: 1000, mistakesPerNodeDay: 1 });
    expect(suspicion(state, 1e9)).toMatchObject({ level: 0, suspected: false });
    expect(nextDeadlineMs(state)).toBe(Number.POSITIVE_INFINITY);
  });

  it("learns a steady node's rhythm and then suspects sooner", () => {
    expect(steady(5_000).thresholdMs).toBeLessThan(steady(50).thresholdMs);
  });

  it("ignores duplicates and late beats", () => {
    const state = steady(100);
    const before = JSON.stringify(state);
    recordArrival(state, beat(99, 200_000));
    recordArrival(state, beat(5, 200_000));
    expect(JSON.stringify(state)).toBe(before);
  });

  it("starts afresh on a new boot and ignores beats of the old one", () => {
    const state = steady(100);
    recordArrival(state, beat(0, 130_000, "b"));
    expect(suspicion(state, 130_500)).toMatchObject({ silenceMs: 500, suspected: false });
    recordArrival(state, beat(100, 131_000, "a"));
    expect(suspicion(state, 131_500).silenceMs).toBe(1_500);
  });

  it("excuses silence during an own stall", () => {
    const state = steady(5_000);
    const stalls = createStallLog();
    recordTick(stalls, 4_999_100);
    recordTick(stalls, 5_060_000);
    expect(suspicion(state, 5_060_001, stalls).suspected).toBe(false);
    expect(suspicion(state, 5_060_001).suspected).toBe(true);
    expect(suspicion(state, 5_090_001, stalls).suspected).toBe(true);
  });

  it("takes no harm from a beat whose stamps are no numbers", () => {
    const state = steady(100);
    recordArrival(state, beat(Number.NaN, 101_000));
    recordArrival(state, beat(100, Number.NaN));
    expect(suspicion(state, 101_000).silenceMs).toBeGreaterThan(1_000);
    expect(Number.isFinite(state.thresholdMs)).toBe(true);
  });

  it("keeps steadily to a mean silence instead of a budget", () => {
    const state = createDetector({ intervalMs: 1000, mistakesPerNodeDay: 1, meanSilenceMs: 2500 });
    for (let seq = 0; seq < 200; seq++) recordArrival(state, beat(seq, seq * 1000 + (seq % 7)));
    expect(state.thresholdMs).toBeCloseTo(2500, 0);
  });

  it("refuses a configuration that means nothing", () => {
    expect(() => createDetector({ intervalMs: 0, mistakesPerNodeDay: 1 })).toThrow(RangeError);
    expect(() => createDetector({ intervalMs: 1000, mistakesPerNodeDay: 0 })).toThrow(RangeError);
    expect(() => createDetector({ intervalMs: 1000, mistakesPerNodeDay: 1, meanSilenceMs: Number.NaN })).toThrow(
      RangeError,
    );
  });

  it("counts a late node as overdue before it is suspect", () => {
    const state = steady(5_000);
    expect(isOverdue(state, state.lastArrivalMs + 1_200)).toBe(false);
    expect(isOverdue(state, state.lastArrivalMs + 1_300)).toBe(true);
    expect(isSuspected(state, state.lastArrivalMs + state.thresholdMs - 1)).toBe(false);
    expect(isSuspected(state, state.lastArrivalMs + state.thresholdMs)).toBe(true);
  });
});
