import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildProfile, deviationsAbove, learnUsual, type RunningUsual, usualAt, usualNow } from "./baseline.ts";
import { addDiskPoint, type DiskTrend, hoursLeft } from "./disk-trend.ts";
import { createHysteresis, stepHysteresis } from "./hysteresis.ts";
import { createSubjectMonitor, takeReadings } from "./monitor.ts";
import { replayRule } from "./replay.ts";
import { checkNumbers, defaultRules, findRule, type Rule } from "./rules.ts";

const minuteMs = 60_000;
const hourMs = 3_600_000;
const start = 1_790_000_000_000;
const rule = (id: string): Rule => {
  const found = findRule(id);
  if (found === null) throw new Error(id);
  return found;
};

describe("hysteresis", () => {
  const numbers = { ...rule("cpu"), raise: 0.9, clear: 0.7, raiseForMs: 60_000, clearForMs: 30_000 };
  const run = (values: readonly (number | null)[], stepMs = 10_000) => {
    const memory = createHysteresis();
    const seen: string[] = [];
    values.forEach((value, index) => {
      const change = stepHysteresis(memory, numbers, value, index * stepMs, index === 0 ? null : (index - 1) * stepMs);
      if (change !== null) seen.push(`${change}@${index}`);
    });
    return seen;
  };

  it("is raised after the whole time, and not by a shorter burst", () => {
    expect(run(new Array(6).fill(0.95))).toEqual([]);
    expect(run(new Array(7).fill(0.95))).toEqual(["raised@6"]);
    expect(run([0.95, 0.95, 0.95, 0.89, 0.95, 0.95, 0.95, 0.95])).toEqual([]);
  });

  it("stays raised between the levels, and is cleared below the lower one", () => {
    const raised = new Array(7).fill(0.95);
    expect(run([...raised, ...new Array(50).fill(0.8)])).toEqual(["raised@6"]);
    expect(run([...raised, 0.6, 0.6, 0.6, 0.6])).toEqual(["raised@6", "cleared@10"]);
  });

  it("takes silence for neither", () => {
    expect(run([...new Array(5).fill(0.95), null, null, 0.95, 0.95])).toEqual([]);
    expect(run([...new Array(7).fill(0.95), ...new Array(20).fill(null)])).toEqual(["raised@6"]);
    expect(run([0.95, 0.95], 200_000)).toEqual([]);
  });

  it("never flaps faster than its two times, whatever the values", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 }), (values) => {
        const seen = run(values).map((each) => Number(each.split("@")[1]));
        for (let i = 1; i < seen.length; i += 1) {
          expect(((seen[i] ?? 0) - (seen[i - 1] ?? 0)) * 10_000).toBeGreaterThanOrEqual(30_000);
        }
      }),
    );
  });
});

describe("what is usual", () => {
  it("is the median of the hour of the day once it was seen on three days", () => {
    const points = Array.from({ length: 5 * 24 * 12 }, (_, i) => {
      const at = start - 5 * 24 * hourMs + i * 5 * minuteMs;
      const night = Math.floor((at % (24 * hourMs)) / hourMs) < 6;
      return { at, value: night ? 0.8 : 0.2 + (i % 7) / 100 };
    });
    const profile = buildProfile(points);
    const at = (hour: number) => usualAt(profile, hour * hourMs)?.level ?? null;
    expect(at(3)).toBe(0.8);
    expect(at(14)).toBeCloseTo(0.23, 1);
    expect(buildProfile(points.slice(-24)).every((usual) => usual === null)).toBe(true);
  });

  it("is not moved by a few wild values, and says nothing before it is warm", () => {
    let known: RunningUsual | null = null;
    for (let i = 0; i < 20; i += 1) known = learnUsual(known, 0.2 + (i % 3) / 50, start + i * minuteMs);
    expect(usualNow(known, start + 20 * minuteMs)).toBeNull();
    for (let i = 20; i < 120; i += 1) known = learnUsual(known, 0.2 + (i % 3) / 50, start + i * minuteMs);
    for (let i = 120; i < 125; i += 1) known = learnUsual(known, 1, start + i * minuteMs);
    expect(usualNow(known, start + 125 * minuteMs)?.level).toBeLessThan(0.3);
  });

  it("does not let the score of a quiet series explode", () => {
    expect(deviationsAbove({ level: 0.01, spread: 0 }, 0.2, 0.35)).toBe(0);
    expect(deviationsAbove({ level: 0.01, spread: 0 }, 0.5, 0.35)).toBeLessThan(20);
    expect(deviationsAbove({ level: 0.5, spread: 0.1 }, 0.1, 0.05)).toBe(0);
  });
});

describe("a disk", () => {
  const fill = (perMinute: number, minutes: number, wild = -1): number | null => {
    const trend: DiskTrend = [];
    for (let i = 0; i <= minutes; i += 1) {
      addDiskPoint(trend, start + i * minuteMs, 0.5 + i * perMinute + (i === wild ? 0.3 : 0));
    }
    return hoursLeft(trend);
  };

  it("is full when its slope says so, whatever one large file did", () => {
    expect(fill(0.001, 60)).toBeCloseTo(0.44 / 0.06, 0);
    expect(fill(0.001, 60, 30)).toBeCloseTo(fill(0.001, 60) ?? 0, 0);
    expect(fill(0, 60)).toBeGreaterThan(1_000);
    expect(fill(-0.001, 60)).toBeGreaterThan(1_000);
    expect(fill(0.01, 10)).toBeNull();
  });
});

describe("a rule over what was measured", () => {
  const t = Array.from({ length: 24 * 60 }, (_, i) => start + i * minuteMs);

  it("fires when and as long as it would have", () => {
    const cpu = t.map((_, i) => (i >= 600 && i < 630 ? 0.99 : 0.3));
    const fired = replayRule(rule("cpu"), [{ subject: "node:a", t, columns: { cpu } }]);
    expect(fired).toEqual([{ subject: "node:a", fromMs: start + 605 * minuteMs, toMs: start + 632 * minuteMs }]);
    expect(replayRule({ ...rule("cpu"), raiseForMs: hourMs }, [{ subject: "node:a", t, columns: { cpu } }])).toEqual(
      [],
    );
    expect(replayRule({ ...rule("cpu"), enabled: false }, [{ subject: "node:a", t, columns: { cpu } }])).toEqual([]);
  });

  it("finds what is unusual without a threshold, and not the noise of a steady day", () => {
    const noise = (i: number) => 40 + ((i * 7919) % 13);
    const steady = t.map((_, i) => noise(i));
    const leak = t.map((_, i) => noise(i) + (i > 900 ? 120 : 0));
    const connections = rule("connections-unusual");
    expect(replayRule(connections, [{ subject: "node:a", t, columns: { connections: steady } }])).toEqual([]);
    const [fired] = replayRule(connections, [{ subject: "node:a", t, columns: { connections: leak } }]);
    expect(fired?.fromMs).toBe(start + 906 * minuteMs);
  });

  it("derives the hours left from the share of the disk", () => {
    const diskShare = t.map((_, i) => 0.3 + (i > 300 ? (i - 300) * 0.002 : 0)).map((share) => Math.min(0.9, share));
    const [fired] = replayRule(rule("disk-filling"), [{ subject: "node:a", t, columns: { diskShare } }]);
    expect(fired?.fromMs).toBeGreaterThan(start + 300 * minuteMs);
    expect(fired?.fromMs).toBeLessThan(start + 370 * minuteMs);
  });

  it("ends at once when it is turned off", () => {
    const monitor = createSubjectMonitor();
    const cpu = rule("cpu");
    let changes: string[] = [];
    for (let i = 0; i < 10; i += 1) {
      const taken = takeReadings(monitor, [cpu], { cpu: 1 }, start + i * minuteMs);
      changes = [...changes, ...taken.map((each) => each.change)];
    }
    const ended = takeReadings(monitor, [{ ...cpu, enabled: false }], { cpu: 1 }, start + 10 * minuteMs);
    expect([...changes, ...ended.map((each) => each.change)]).toEqual(["raised", "cleared"]);
  });
});

describe("the numbers of a rule", () => {
  it("are right by default", () => {
    for (const each of defaultRules) expect(checkNumbers(each, each), each.id).toBeNull();
    expect(new Set(defaultRules.map((each) => each.id)).size).toBe(defaultRules.length);
  });

  it("are refused with the reason", () => {
    const cpu = rule("cpu");
    expect(checkNumbers(cpu, { ...cpu, clear: 0.99 })).toBe("rule-order");
    expect(checkNumbers(cpu, { ...cpu, raise: 95 })).toBe("rule-share");
    expect(checkNumbers(cpu, { ...cpu, raise: Number.NaN })).toBe("rule-number");
    expect(checkNumbers(cpu, { ...cpu, raiseForMs: 1e12 })).toBe("rule-time");
    const disk = rule("disk-filling");
    expect(checkNumbers(disk, { ...disk, clear: 1 })).toBe("rule-order");
  });
});
