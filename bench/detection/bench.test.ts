import { describe, expect, it } from "vitest";
import { createDetector, nextDeadlineMs, recordArrival } from "../../server/core/detection/accrual.ts";
import { calibrate, summarize } from "./calibrate.ts";
import { FORMULAS } from "./formulas.ts";
import { excusesFor, noticeGroupSilences, noticeStalls, replay } from "./holdfast.ts";
import { countMistakes, measure } from "./measure.ts";
import { operatingPoint, productPoints } from "./operating-point.ts";
import { byClass, overall, worstClass } from "./score.ts";
import { parseTrace, type Trace } from "./trace.ts";

type Options = {
  beats?: number;
  skip?: (i: number) => boolean;
  delayMs?: (i: number) => number;
  group?: string;
  stalls?: number[][];
};

/** A trace text with one beat a second. */
function makeTrace({ beats = 2_000, skip = () => false, delayMs = () => 1, group, stalls }: Options = {}): Trace {
  const lines = [JSON.stringify({ id: "t", class: "synthetic", intervalMs: 1000, group, stalls })];
  let last = 0;
  for (let i = 0; i < beats; i++) {
    if (i > 0 && skip(i)) continue;
    lines.push(`${i - last},${(i - last) * 1_000_000},${delayMs(i) * 1000}`);
    last = i;
  }
  return parseTrace(`${lines.join("\n")}\n`);
}

describe("trace reader", () => {
  it("reads deltas and sorts by arrival", () => {
    const trace = makeTrace({ beats: 3, delayMs: (i) => (i === 1 ? 1500 : 10) });
    expect([...trace.seq]).toEqual([0, 2, 1]);
    expect([...trace.arrivedMs]).toEqual([10, 2010, 2500]);
  });

  it("refuses what is no trace", () => {
    expect(() => parseTrace('{"id":"x"}\n')).toThrow(/first line/);
  });
});

describe("measures", () => {
  it("gives a fixed timeout its timeout plus delay less half an interval", () => {
    const trace = makeTrace({ delayMs: () => 100 });
    const deadlines = FORMULAS[0]!.prepare(trace)(2.5);
    expect(measure(trace, deadlines).meanDetectionIntervals).toBeCloseTo(2.1, 6);
    expect(countMistakes(trace, deadlines)).toBe(0);
  });

  it("counts one mistake a gap, however long", () => {
    const trace = makeTrace({ skip: (i) => i % 500 > 490 });
    expect(countMistakes(trace, FORMULAS[0]!.prepare(trace)(2.5))).toBe(3);
  });

  it("finds every formula's operating point", () => {
    const trace = makeTrace({ skip: (i) => i % 97 === 0, delayMs: (i) => 20 + ((i * 7919) % 50) });
    for (const formula of FORMULAS) {
      expect(operatingPoint(trace, formula.prepare(trace), 3).meanDetectionIntervals).toBeCloseTo(3, 2);
    }
    for (const point of productPoints(trace, [2, 3, 4], excusesFor(trace, [trace]))) {
      expect(point.mistakesPer10k).toBe(0);
    }
  });
});

describe("the product in the bench", () => {
  it("has just the deadlines of the detector's own interface", () => {
    const trace = makeTrace({ skip: (i) => i % 61 === 0 || i % 173 < 3, delayMs: (i) => 20 + ((i * 7919) % 900) });
    const { intervalMs, seq, sentMs, arrivedMs } = trace;
    const bounds = { minSilenceMs: intervalMs, maxSilenceMs: 128 * intervalMs };
    const detectors = [
      createDetector({ intervalMs, mistakesPerNodeDay: 8.64, ...bounds }),
      createDetector({ intervalMs, mistakesPerNodeDay: 1, meanSilenceMs: 3 * intervalMs, ...bounds }),
    ];
    const none = { stalls: [], config: { graceMs: 0 } };
    const aims = detectors.map((detector) => detector.aim);
    const deadlines = replay(trace, aims, none);
    for (let k = 0; k < seq.length; k++) {
      const beat = { seq: seq[k]!, bootId: "b", senderMonoMs: sentMs[k]!, arrivalMs: arrivedMs[k]! };
      detectors.forEach((detector, a) => {
        recordArrival(detector, beat);
        expect(deadlines[a]![k]).toBe(nextDeadlineMs(detector));
      });
    }
  });

  it("makes no mistake of its own stalls", () => {
    const stalls = [5, 9, 14, 18].map((minute) => [minute * 100_000 + 17, minute * 100_000 + 5_017]);
    const held = (i: number) => stalls.find(([from, to]) => i * 1000 >= from! && i * 1000 < to!);
    const trace = makeTrace({ stalls, delayMs: (i) => (held(i) ? held(i)![1]! - i * 1000 : 1) });
    expect(noticeStalls(trace)).toHaveLength(4);
    const [point] = productPoints(trace, [2], excusesFor(trace, [trace]));
    expect(point!.mistakesPer10k).toBe(0);
    expect(operatingPoint(trace, FORMULAS[0]!.prepare(trace), 2).mistakesPer10k).toBeGreaterThan(0);
  });

  it("blames no single node for a group's common silence", () => {
    const group = Array.from({ length: 5 }, () => makeTrace({ group: "g", skip: (i) => i % 300 > 290 }));
    expect(noticeGroupSilences(group).length).toBeGreaterThanOrEqual(6);
    const [point] = productPoints(group[0]!, [2], excusesFor(group[0]!, group));
    expect(point!.mistakesPer10k).toBe(0);
  });
});

describe("score and calibration", () => {
  it("averages within a class and takes the geometric mean over classes", () => {
    const ours = byClass([
      { traceClass: "a", mistakes: [0, 0, 0] },
      { traceClass: "a", mistakes: [1.8, 0, 0] },
      { traceClass: "b", mistakes: [0, 0, 9.9] },
    ]);
    expect(overall(ours).map((v) => Math.round(v * 1000) / 1000)).toEqual([0.316, 0.1, 1]);
    expect(
      worstClass(ours, () =>
        byClass([
          { traceClass: "a", mistakes: [0, 0, 0] },
          { traceClass: "b", mistakes: [0, 0, 0] },
        ]),
      ),
    ).toMatchObject({
      traceClass: "b",
      target: 4,
    });
  });

  it("keeps the budget on a steady node", () => {
    const trace = makeTrace({ beats: 4_000, delayMs: (i) => 5 + ((i * 7919) % 13) });
    const summary = summarize([calibrate(trace, excusesFor(trace, [trace]))], (c) => c.settled);
    expect(summary.mistakesPer10k).toBe(0);
  });
});
