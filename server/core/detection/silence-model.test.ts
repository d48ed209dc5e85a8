import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dyadicHazard, LEAVES, logFactorial } from "./dyadic-hazard.ts";
import { createModel, learnSilence, predict } from "./silence-model.ts";
import { createSteering, steer } from "./threshold-policy.ts";
import { leafOf } from "./trouble-context.ts";

describe("dyadic hazard", () => {
  it("computes factorials", () => {
    let sum = 0;
    for (let n = 1; n <= 60; n++) {
      sum += Math.log(n);
      expect(logFactorial(n)).toBeCloseTo(sum, 6);
    }
  });

  it("answers the overall chance without evidence, and nearly so when phases do not differ", () => {
    const none = new Array<number>(LEAVES).fill(0);
    expect(dyadicHazard(none, none, 7, 0.01).chance).toBeCloseTo(0.01, 9);
    const even = dyadicHazard(new Array<number>(LEAVES).fill(1), new Array<number>(LEAVES).fill(100), 7, 0.01);
    expect(even.chance).toBeCloseTo(0.01, 2);
    expect(even.logEvidence).toBeLessThan(0);
  });

  it("finds the one phase at which trouble comes", () => {
    const events = new Array<number>(LEAVES).fill(0);
    events[30] = 20;
    const exposure = new Array<number>(LEAVES).fill(50);
    const overall = 20 / (50 * LEAVES);
    const due = dyadicHazard(events, exposure, 30, overall);
    expect(due.chance).toBeGreaterThan(10 * overall);
    expect(due.logEvidence).toBeGreaterThan(10);
    expect(dyadicHazard(events, exposure, 12, overall).chance).toBeLessThan(overall);
  });

  it("gives every clock a phase", () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), (beats) => {
        expect(leafOf(beats)).toBeGreaterThanOrEqual(0);
        expect(leafOf(beats)).toBeLessThan(LEAVES);
        expect(leafOf(beats + 1)).toBeGreaterThanOrEqual(leafOf(beats));
      }),
    );
  });
});

describe("silence model", () => {
  const gaps = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 100 });

  it("predicts a tail that falls and a patience that rises", () => {
    fc.assert(
      fc.property(gaps, (ratios) => {
        const model = createModel();
        for (const ratio of ratios) learnSilence(model, ratio);
        const { tail, patience, overallTail } = predict(model);
        expect(tail.every((p, i) => p > 0 && p <= (tail[i - 1] ?? 1))).toBe(true);
        expect(overallTail.every((p, i) => p > 0 && p <= (overallTail[i - 1] ?? 1))).toBe(true);
        expect(patience.every((p, i) => p >= (patience[i - 1] ?? p) - 1e-9)).toBe(true);
      }),
    );
  });

  it("waits longer when a periodic outage is due and less otherwise, at the same mean", () => {
    const model = createModel();
    const steering = createSteering();
    const aim = { kind: "mean-silence", intervals: 3 } as const;
    const thresholds: number[] = [];
    for (let beat = 1; beat <= 4_000; beat++) {
      learnSilence(model, beat % 100 === 0 ? 6 : 1);
      const choice = steer(steering, aim, predict(model), { minRatio: 1, maxRatio: 128 }, 1);
      thresholds.push(choice.thresholdRatio);
    }
    const settled = thresholds.slice(-1_000);
    // The threshold chosen after beat 99 of a period is the one that meets the outage.
    expect(settled[98]!).toBeGreaterThan(6);
    expect(settled[40]!).toBeLessThan(3);
    expect(settled.reduce((a, b) => a + b, 0) / settled.length).toBeCloseTo(3, 0);
  });

  it("keeps to the aim while there is nothing to learn from", () => {
    const steering = createSteering();
    steer(steering, { kind: "mean-silence", intervals: 2.5 }, predict(createModel()), { minRatio: 1, maxRatio: 30 }, 0);
    expect(steering.thresholdRatio).toBeCloseTo(2.5, 9);
  });
});
