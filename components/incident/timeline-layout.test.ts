import { describe, expect, it } from "vitest";
import type { TimelineEntry } from "../../server/core/index.ts";
import { axisTicks, layoutTimeline, placeOnAxis, placeTicks } from "./timeline-layout.ts";

const entry = (seq: number, at: number, kind = `k${seq}`): TimelineEntry => ({
  seq,
  incidentId: "INC-1",
  at,
  nodeAt: null,
  lane: "signal",
  kind,
  subject: { kind: "node", id: "pg-a" },
  data: {},
  evidence: [],
  actor: "x",
});
const layout = (entries: readonly TimelineEntry[], widthPx = 800) =>
  layoutTimeline(entries, {
    fromMs: 0,
    toMs: 60_000,
    scale: "log",
    widthPx,
    labelOf: (item) => item.kind.repeat(6),
  })[0]!;

describe("the axis", () => {
  it("begins at 0, ends at 1 and never goes back, on both scales", () => {
    for (const scale of ["log", "linear"] as const) {
      const places = [0, 50, 400, 5_000, 60_000].map((at) => placeOnAxis(at, 0, 60_000, scale));
      expect(places[0]).toBe(0);
      expect(places.at(-1)).toBe(1);
      expect([...places].sort((a, b) => a - b)).toEqual(places);
    }
  });

  it("gives the first second more room than the last minute on the log scale", () => {
    expect(placeOnAxis(1_000, 0, 60_000, "log")).toBeGreaterThan(0.3);
  });

  it("has at most eight ticks on the linear scale", () => {
    for (const span of [90, 4_000, 70_000, 9_000_000])
      expect(axisTicks(0, span, "linear").length).toBeLessThanOrEqual(8);
  });
});

describe("labels", () => {
  it("never overlap within a row", () => {
    const { marks } = layout([10, 40, 80, 200, 220, 900, 1_500, 20_000].map((at, index) => entry(index, at)));
    for (const row of [0, 1, 2]) {
      const boxes = marks
        .filter((mark) => mark.labelRow === row)
        .map((mark) => ({
          from: mark.alignEnd ? mark.x - mark.label.length * 6.3 : mark.x - 4,
          length: mark.label.length * 6.3,
        }));
      for (let index = 1; index < boxes.length; index++)
        expect(boxes[index]!.from).toBeGreaterThanOrEqual(boxes[index - 1]!.from + boxes[index - 1]!.length);
    }
  });

  it("stands once for equal entries at the same place", () => {
    const { marks } = layout([entry(1, 500, "wal"), entry(2, 501, "wal"), entry(3, 502, "wal")]);
    expect(marks).toHaveLength(1);
    expect(marks[0]?.label.endsWith("×3")).toBe(true);
  });
});

describe("ticks", () => {
  it("keep every line and drop the labels that would run into each other", () => {
    const wide = placeTicks(0, 90_000, "log", 900);
    const narrow = placeTicks(0, 90_000, "log", 220);
    expect(narrow.map((tick) => tick.offset)).toEqual(wide.map((tick) => tick.offset));
    const labelled = narrow.filter((tick) => tick.labelled);
    expect(labelled[0]?.offset).toBe(0);
    expect(labelled.length).toBeLessThan(narrow.length);
    for (let index = 1; index < labelled.length; index++)
      expect(labelled[index]!.x - labelled[index - 1]!.x).toBeGreaterThanOrEqual(50);
  });
});
