import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localize } from "./localize.ts";
import {
  FAULT_S,
  type Levels,
  makeCall,
  makeEdgeSeries,
  makePeriods,
  makeSeries,
  makeTraces,
  makeWindow,
  NODES,
  type SpanPlan,
  STEP_S,
} from "./synthetic-window.ts";
import type { Period, TelemetryWindow } from "./telemetry.ts";

const QUIET: Levels = {
  shop: { "cpu usage": [20, 20], "latency avg": [0.2, 0.2], requests: [100, 100], availability: [100, 100] },
  cart: { "cpu usage": [10, 10], "latency avg": [0.05, 0.05], requests: [100, 100], availability: [100, 100] },
  pay: { "cpu usage": [10, 10], "latency avg": [0.05, 0.05], requests: [20, 20], availability: [100, 100] },
  db: { "cpu usage": [30, 30], "latency avg": [0.01, 0.01], requests: [120, 120], availability: [100, 100] },
};

function withLevels(changes: Levels): TelemetryWindow {
  const levels = Object.fromEntries(
    Object.entries(QUIET).map(([node, metrics]) => [node, { ...metrics, ...changes[node] }]),
  );
  return makeWindow(makePeriods(levels));
}

function withTarget(window: TelemetryWindow, metric: string): TelemetryWindow {
  return { ...window, target: { node: "shop", metric } };
}

/** A purchase: shop calls cart, cart reads the database; then shop calls pay. */
function purchase(
  changes: { payGapMs?: number; cartLines?: readonly string[]; shopLines?: readonly string[] } = {},
): SpanPlan {
  const db: SpanPlan = { node: "db", op: "read", ownMs: 3 };
  const cart: SpanPlan = {
    node: "cart",
    op: "get cart",
    ownMs: 20,
    lines: changes.cartLines ?? ["load cart", "cart loaded"],
    children: [makeCall("cart", 2, db)],
  };
  const pay: SpanPlan = { node: "pay", op: "charge", ownMs: 10, lines: ["charge", "charged"] };
  const children = [makeCall("shop", 2, cart), makeCall("shop", changes.payGapMs ?? 2, pay)];
  return { node: "shop", op: "buy", ownMs: 5, lines: changes.shopLines ?? ["buying", "bought"], children };
}

function withTraces(after: SpanPlan, base = withLevels({})): TelemetryWindow {
  const normal = makeTraces(new Array(30).fill(purchase()), -3_600);
  const current = makeTraces([...new Array(20).fill(purchase()), ...new Array(60).fill(after)], -100);
  // The first twenty begin before the last sampling period, the rest at the fault.
  const startUs = current.spans.startUs.map((start, row) => start + (current.spans.trace[row]! >= 20 ? 80e6 : 0));
  const timeMs = current.logs.timeMs.map(
    (time, i) => time + (current.spans.trace[current.logs.span[i]!]! >= 20 ? 80e3 : 0),
  );
  return {
    ...base,
    normal: { ...base.normal, ...normal },
    current: { ...base.current, spans: { ...current.spans, startUs }, logs: { ...current.logs, timeMs } },
  };
}

describe("localize", () => {
  it("reports nothing while nothing changes", () => {
    expect(localize(withLevels({}))).toEqual([]);
    expect(localize(withTarget(withLevels({}), "latency avg"))).toEqual([]);
    expect(localize(withTraces(purchase()))).toEqual([]);
  });

  it("reports nothing, and does not throw, without telemetry", () => {
    expect(localize(makeWindow({}))).toEqual([]);
    expect(localize({ ...makeWindow({}), nodes: [], edges: [] })).toEqual([]);
    expect(localize({ ...makeWindow({}), target: { node: "nobody", metric: "latency" } })).toEqual([]);
  });

  it("names the node whose processor is starved, although its callers are slow too", () => {
    const window = withLevels({
      pay: { "cpu usage": [10, 95], "latency avg": [0.05, 0.4] },
      shop: { "latency avg": [0.2, 0.3] },
    });
    const [first] = localize(window);
    expect(first).toMatchObject({ node: "pay", class: "cpu" });
    expect(first!.evidence[0]).toMatchObject({ kind: "resource-excess", resource: "cpu", metric: "cpu usage" });
  });

  it("blames the callee that adds the latency and not the callers that pass it on", () => {
    const window = withLevels({
      shop: { "latency avg": [0.2, 0.7] },
      cart: { "latency avg": [0.05, 0.55] },
      db: { "latency avg": [0.01, 0.5] },
    });
    const [first] = localize(withTarget(window, "latency avg"));
    expect(first).toMatchObject({ node: "db", class: "latency" });
    expect(first!.evidence[0]!.kind).toBe("excess-latency");
  });

  it("counts lost requests, not percent: a busy node's 5 % outweighs an idle node's 20 %", () => {
    const levels: Levels = {
      shop: { requests: [100, 100], availability: [100, 93] },
      cart: { requests: [100, 100], availability: [100, 95] },
      pay: { requests: [5, 5], availability: [100, 80] },
    };
    const ranking = localize(withTarget(makeWindow(makePeriods(levels)), "availability"));
    expect(ranking[0]).toMatchObject({ node: "cart", class: "availability" });
  });

  it("blames the caller of a dependency that did not exist before", () => {
    const levels: Levels = { shop: { requests: [100, 100], availability: [100, 80] }, pay: { requests: [20, 20] } };
    const { current, normal } = makePeriods(levels);
    const db = { requests: makeSeries(FAULT_S, 5, () => 20), availability: makeSeries(FAULT_S, 5, () => 0) };
    const window = makeWindow({
      current: { ...current, metrics: { ...current.metrics, db } },
      normal,
      edges: [
        ["shop", "pay"],
        ["pay", "db"],
      ],
    });
    const [first] = localize(withTarget(window, "availability"));
    expect(first!.node).toBe("pay");
    expect(first!.evidence[0]).toMatchObject({ kind: "new-dependency", callee: "db" });
  });

  it("finds the node behind a slow network by the gap between the two ends of its calls", () => {
    const [first] = localize(withTraces(purchase({ payGapMs: 200 })));
    expect(first).toMatchObject({ node: "pay", class: "network" });
    expect(first!.evidence[0]).toMatchObject({ kind: "network-gap", source: "spans", peers: ["shop"] });
    expect(first!.confidence).toBeGreaterThan(0.8);
  });

  it("reads the same gap from mesh metrics", () => {
    const at = (fromS: number, count: number, late: number) =>
      (["cart", "pay"] as const).flatMap((to) => [
        makeEdgeSeries(
          "shop",
          to,
          "latency_p50_source",
          makeSeries(fromS, count, (t) => (to === "pay" && t >= FAULT_S ? 0.01 + late : 0.01)),
        ),
        makeEdgeSeries(
          "shop",
          to,
          "latency_p50_destination",
          makeSeries(fromS, count, () => 0.008),
        ),
      ]);
    const { current, normal } = makePeriods(QUIET);
    const window = makeWindow({
      current: { ...current, edgeMetrics: at(FAULT_S - 5 * STEP_S, 10, 0.3) },
      normal: { ...normal, edgeMetrics: at(FAULT_S - 7_200, 100, 0) },
    });
    expect(localize(window)[0]).toMatchObject({ node: "pay", class: "network" });
  });

  it("blames code whose log lines stop in the middle, and not the caller that fails for it", () => {
    const after = purchase({ cartLines: ["load cart"], shopLines: ["buying", "ERROR no cart"] });
    const [first, second] = localize(withTraces(after));
    expect(first).toMatchObject({ node: "cart", class: "code" });
    expect(first!.evidence[0]).toMatchObject({
      kind: "log-template-missing",
      text: "cart loaded",
      previous: "load cart",
    });
    expect(second?.node ?? "shop").toBe("shop");
  });

  it("sees a request that does nothing at all any more", () => {
    const [first] = localize(withTraces(purchase({ cartLines: [] })));
    expect(first).toMatchObject({ node: "cart", class: "code" });
  });

  it("does not take the end of errors for a fault", () => {
    const failing = purchase({ cartLines: ["load cart", "ERROR stale cache"] });
    const normal = makeTraces(new Array(30).fill(failing), -3_600);
    const current = makeTraces(new Array(60).fill(purchase()), 0);
    const base = withLevels({});
    const window = { ...base, normal: { ...base.normal, ...normal }, current: { ...base.current, ...current } };
    expect(localize(window)).toEqual([]);
  });

  it("keeps its answer when the fault was noticed one sample late", () => {
    const window = withLevels({ pay: { "cpu usage": [10, 95] } });
    const late = { ...window, faultTimeS: window.faultTimeS + STEP_S };
    expect(localize(late)[0]).toMatchObject({ node: "pay", class: "cpu" });
  });

  it("gives the same answer whatever the order of nodes and edges", () => {
    const window = withLevels({ pay: { "cpu usage": [10, 95] }, shop: { "latency avg": [0.2, 0.4] } });
    const shuffled = { ...window, nodes: [...window.nodes].reverse(), edges: [...window.edges].reverse() };
    const strip = (w: TelemetryWindow) => localize(w).map(({ node, score }) => [node, score.toFixed(9)]);
    expect(strip(shuffled)).toEqual(strip(window));
    expect(localize(window)).toEqual(localize(window));
  });

  it("gives confidences that leave room for the nodes it did not name", () => {
    const suspects = localize(withLevels({ pay: { "cpu usage": [10, 60] } }));
    const total = suspects.reduce((sum, { confidence }) => sum + confidence, 0);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThan(1);
  });

  it("never throws and never leaves its scale, whatever the telemetry", () => {
    const number = fc.oneof(fc.double(), fc.constant(Number.NaN), fc.integer());
    const row = fc.record({
      trace: fc.integer({ min: 0, max: 5 }),
      parent: fc.integer({ min: -2, max: 30 }),
      node: fc.integer({ min: -1, max: NODES.length - 1 }),
      startUs: fc.integer({ min: -2e8, max: 2e8 }),
      durationUs: fc.integer({ min: -10, max: 1e7 }),
    });
    const period = fc
      .record({ rows: fc.array(row, { maxLength: 25 }), values: fc.array(number, { maxLength: 12 }) })
      .map(toPeriod);
    fc.assert(
      fc.property(period, period, fc.constantFrom(undefined, "latency", "availability"), (current, normal, metric) => {
        const target = metric === undefined ? undefined : { node: "shop", metric };
        const suspects = localize(makeWindow({ current, normal, target }));
        expect(new Set(suspects.map(({ node }) => node)).size).toBe(suspects.length);
        for (const [i, { score, confidence, evidence }] of suspects.entries()) {
          expect(score).toBeLessThanOrEqual(suspects[Math.max(0, i - 1)]!.score);
          expect(confidence).toBeGreaterThanOrEqual(0);
          expect(confidence).toBeLessThanOrEqual(1);
          expect(evidence.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

interface RawRow {
  trace: number;
  parent: number;
  node: number;
  startUs: number;
  durationUs: number;
}

/** Spans that may refer to anything, one log line a span, and the same values for every metric. */
function toPeriod({ rows, values }: { rows: RawRow[]; values: number[] }): Period {
  const timesS = values.map((_, i) => FAULT_S + (i - 6) * STEP_S);
  const series = { timesS, values };
  return {
    metrics: Object.fromEntries(
      NODES.map((node) => [node, { "cpu usage": series, latency: series, requests: series, availability: series }]),
    ),
    edgeMetrics: [
      makeEdgeSeries("shop", "pay", "p50_source", series),
      makeEdgeSeries("shop", "pay", "p50_destination", series),
    ],
    spans: {
      ops: ["a", "b"],
      trace: rows.map(({ trace }) => trace),
      parent: rows.map(({ parent }) => parent),
      node: rows.map(({ node }) => node),
      op: rows.map((_, i) => i % 2),
      startUs: rows.map(({ startUs }) => startUs),
      durationUs: rows.map(({ durationUs }) => durationUs),
    },
    logs: {
      templates: [{ node: 0, level: "ERROR", key: "boom", text: "boom" }],
      timeMs: rows.map(({ startUs }) => startUs / 1000),
      template: rows.map(() => 0),
      span: rows.map((_, i) => i - 1),
    },
  };
}
