import { describe, expect, it } from "vitest";
import { localize } from "../../server/core/localization/localize.ts";
import { BASELINES } from "./baselines.ts";
import { type RawCase, type RawNormal, toWindow } from "./case-file.ts";

const times = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i * 60);

const raw: RawCase = {
  case_id: "made-up-1",
  dataset: "made-up",
  fault_time: 10_000,
  step_s: 60,
  topology: { nodes: ["web", "db"], edges: [["web", "db"]] },
  normal_ref: "normal.json",
  metrics: {
    web: { "cpu (%)": { t: times(9_700, 10), v: [5, 5, 5, 5, 5, 5, 6, 5, 5, 5] } },
    db: { "cpu (%)": { t: times(9_700, 10), v: [9, 9, 9, 9, 9, 80, 80, 80, 80, 80] } },
  },
  traces: {
    ops: ["get"],
    n_traces: 1,
    spans: { trace: [0], parent: [-1], node: [1], op: [0], start_us: [5_000_000], dur_us: [10] },
  },
  logs: {
    templates: [{ node: 0, level: "INFO", loc: "web.ts#1", text: "hello" }],
    events: { t_ms: [5_000], node: [0], tmpl: [0], trace: [0], span: [0] },
  },
};

const normal: RawNormal = {
  topology: { nodes: ["db", "gone", "web"], edges: [] },
  metrics: {
    web: { "cpu (%)": { t: times(0, 100), v: times(0, 100).map((_, i) => 5 + (i % 3)) } },
    db: { "cpu (%)": { t: times(0, 100), v: times(0, 100).map((_, i) => 9 + (i % 2)) } },
  },
  traces: {
    ops: ["get"],
    n_traces: 2,
    spans: { trace: [0, 1], parent: [-1, -1], node: [0, 1], op: [0, 0], start_us: [0, 0], dur_us: [5, 5] },
  },
};

describe("toWindow", () => {
  it("numbers the nodes of the normal period as the case does", () => {
    expect(toWindow(raw, normal).normal.spans?.node).toEqual([1, -1]);
  });

  it("moves the fault time and everything that counts from it", () => {
    const window = toWindow(raw, normal, 1);
    expect(window.faultTimeS).toBe(10_060);
    expect(window.current.spans?.startUs).toEqual([-55_000_000]);
    expect(window.current.logs?.timeMs).toEqual([-55_000]);
  });

  it("needs no label, and feeds the localizer and the baselines", () => {
    const window = toWindow(raw, normal);
    expect(localize(window)[0]).toMatchObject({ node: "db", class: "cpu" });
    for (const rank of Object.values(BASELINES)) expect(rank(window).map(({ node }) => node)).toEqual(["web", "db"]);
    expect(BASELINES.zScore!(window)[1]!.score).toBeGreaterThan(BASELINES.zScore!(window)[0]!.score);
  });
});
