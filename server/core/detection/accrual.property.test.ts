import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Beat, createDetector, type DetectorState, nextDeadlineMs, recordArrival, suspicion } from "./accrual.ts";
import { expectedFalseAlarms, falseAlarmCurve } from "./expected-false-alarms.ts";

const INTERVAL_MS = 1000;

/** Any life of a node: gaps in intervals, lost beats, and now and then a new boot. */
const life = fc.array(
  fc.record({
    gap: fc.oneof(
      { weight: 8, arbitrary: fc.double({ min: 0.9, max: 1.1, noNaN: true }) },
      { weight: 2, arbitrary: fc.double({ min: 0, max: 200, noNaN: true }) },
    ),
    lost: fc.integer({ min: 0, max: 3 }),
    reboot: fc.integer({ min: 0, max: 40 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 120 },
);

const aim = fc.oneof(
  fc.double({ min: 1e-3, max: 1e4, noNaN: true }).map((mistakesPerNodeDay) => ({ mistakesPerNodeDay })),
  fc.double({ min: 1500, max: 20_000, noNaN: true }).map((meanSilenceMs) => ({ mistakesPerNodeDay: 1, meanSilenceMs })),
);

type Life = { gap: number; lost: number; reboot: boolean }[];

function beatsOf(events: Life): Beat[] {
  let arrivalMs = 5_000;
  let seq = 0;
  let boot = 0;
  return events.map(({ gap, lost, reboot }) => {
    arrivalMs += gap * INTERVAL_MS;
    if (reboot) boot += 1;
    seq = reboot ? 0 : seq + 1 + lost;
    return { seq, bootId: `boot-${boot}`, senderMonoMs: seq * INTERVAL_MS, arrivalMs };
  });
}

function live(events: Life, config: { mistakesPerNodeDay: number; meanSilenceMs?: number }): DetectorState {
  const state = createDetector({ intervalMs: INTERVAL_MS, ...config });
  for (const beat of beatsOf(events)) recordArrival(state, beat);
  return state;
}

const silences = fc.array(fc.double({ min: 0, max: 400_000, noNaN: true }), { minLength: 2, maxLength: 12 });

describe("accrual detector, for any life of a node", () => {
  it("never falls in level or verdict while nothing arrives", () => {
    fc.assert(
      fc.property(life, aim, silences, (events, config, times) => {
        const state = live(events, config);
        const views = times.sort((a, b) => a - b).map((t) => suspicion(state, state.lastArrivalMs + t));
        for (let i = 1; i < views.length; i++) {
          expect(views[i]!.level).toBeGreaterThanOrEqual(views[i - 1]!.level - 1e-9);
          expect(views[i]!.silenceMs).toBeGreaterThanOrEqual(views[i - 1]!.silenceMs);
          if (views[i - 1]!.suspected) expect(views[i]!.suspected).toBe(true);
        }
      }),
    );
  });

  it("keeps every figure finite, in bounds, and survives JSON", () => {
    fc.assert(
      fc.property(life, aim, silences, (events, config, times) => {
        const state = live(events, config);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        for (const t of times) {
          const view = suspicion(state, state.lastArrivalMs + t);
          for (const value of [view.level, view.silenceMs, view.thresholdMs, view.suspectAtMs]) {
            expect(Number.isFinite(value)).toBe(true);
          }
        }
        expect(state.thresholdMs).toBeGreaterThanOrEqual(state.minSilenceMs);
        expect(state.thresholdMs).toBeLessThanOrEqual(state.maxSilenceMs);
      }),
    );
  });

  it("is not moved by duplicates, late beats or beats of a former boot", () => {
    fc.assert(
      fc.property(life, aim, fc.array(fc.nat(), { maxLength: 20 }), (events, config, picks) => {
        const state = live(events, config);
        const before = structuredClone(state);
        const beats = beatsOf(events);
        const late = state.lastArrivalMs + 60_000;
        for (const pick of picks) recordArrival(state, { ...beats[pick % beats.length]!, arrivalMs: late });
        // Boots older than those remembered may come back; the last few never do.
        if (new Set(beats.map((beat) => beat.bootId)).size <= 5) expect(state).toEqual(before);
      }),
    );
  });

  it("trusts a node again from the first beat of a new boot", () => {
    fc.assert(
      fc.property(life, aim, fc.double({ min: 0, max: 1e6, noNaN: true }), (events, config, laterMs) => {
        const state = live(events, config);
        const arrivalMs = state.lastArrivalMs + laterMs;
        recordArrival(state, { seq: 0, bootId: "fresh", senderMonoMs: 0, arrivalMs });
        expect(suspicion(state, arrivalMs)).toMatchObject({ silenceMs: 0, suspected: false });
        expect(nextDeadlineMs(state)).toBe(arrivalMs + state.thresholdMs);
      }),
    );
  });

  it("ignores the sender's clock altogether", () => {
    fc.assert(
      fc.property(life, aim, fc.double({ min: -1e12, max: 1e12, noNaN: true }), (events, config, stepMs) => {
        const steady = live(events, config);
        const stepped = createDetector({ intervalMs: INTERVAL_MS, ...config });
        for (const beat of beatsOf(events))
          recordArrival(stepped, { ...beat, senderMonoMs: beat.senderMonoMs + stepMs });
        expect(stepped.thresholdMs).toBe(steady.thresholdMs);
        expect(nextDeadlineMs(stepped)).toBe(nextDeadlineMs(steady));
      }),
    );
  });

  it("expects fewer false alarms of a longer silence", () => {
    fc.assert(
      fc.property(life, (events) => {
        const state = live(events, { mistakesPerNodeDay: 1 });
        const curve = falseAlarmCurve(state, 16);
        for (let i = 1; i < curve.length; i++) {
          expect(curve[i]!.falseAlarmsPerNodeDay).toBeLessThanOrEqual(curve[i - 1]!.falseAlarmsPerNodeDay);
          expect(curve[i]!.meanDetectionMs).toBeGreaterThan(curve[i - 1]!.meanDetectionMs);
        }
        expect(expectedFalseAlarms(state, 1e9)).toBeGreaterThan(0);
      }),
    );
  });
});
