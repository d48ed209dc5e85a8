import { beforeEach, describe, expect, it } from "vitest";
import { localize } from "../../core/localization/localize.ts";
import type { TelemetryFrame } from "../../protocol/index.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { makeCalls, makeRequests, makeSpans, makeTelemetry, type SpanDraft } from "../../testing/telemetry.ts";
import { measureServices } from "../service-watch/measure.ts";
import { secondsKept } from "./second-series.ts";
import { LiveTelemetry } from "./telemetry-store.ts";

/** Where `FakeClock` begins. */
const startS = 1_700_000_001;
let clock: FakeClock;
let store: LiveTelemetry;

beforeEach(() => {
  clock = new FakeClock();
  store = new LiveTelemetry(clock);
});

function take(second: number, over: Partial<TelemetryFrame>, node = "app-1"): void {
  store.take(node, makeTelemetry({ at: second * 1_000, ...over }), second * 1_000);
}

const seen = (name: string, dependsOn: string[] = [], version: string | null = null) => ({
  name,
  version,
  dependsOn,
  declared: dependsOn.length > 0,
});

describe("live telemetry", () => {
  it("adds up what comes late, and what comes from several nodes", () => {
    const bucket = { second: startS - 5, requests: [makeRequests("orders", 10, 20, 1)], calls: [] };
    take(startS - 4, { buckets: [bucket] });
    take(startS, { buckets: [bucket] }, "app-2");
    const series = store.series("orders", ["requests", "errorPercent"], (startS - 5) * 1_000, (startS - 5) * 1_000);
    expect(series).toEqual({ t: [(startS - 5) * 1_000], series: { requests: [20], errorPercent: [10] } });
    const [view] = store.services();
    expect(view).toMatchObject({ name: "orders", nodes: ["app-1", "app-2"], observed: true, declared: false });
    expect(view?.traffic).toMatchObject({ perSecond: expect.closeTo(20 / 15), errorShare: 0.1, latencyMeanMs: 20 });
    expect(view?.traffic.latencyP95Ms).toBeCloseTo(20, -1);
  });

  it("shows an address until a joined pair of spans names the service behind it", async () => {
    const call = makeCalls("orders", "10.0.0.2:80", "address", 4, 8);
    take(startS - 3, { buckets: [{ second: startS - 3, requests: [], calls: [call] }] });
    expect(store.services().map(({ name, kind }) => [name, kind])).toEqual([
      ["10.0.0.2:80", "external"],
      ["orders", "service"],
    ]);
    const peer = { name: "10.0.0.2:80", kind: "address" } as const;
    const client = { trace: "f1", id: "a", service: "orders", kind: 2, peer, startUs: -2_000_000, durationUs: 800 };
    const server = { trace: "f1", id: "b", parent: "a", service: "payments", kind: 1, startUs: -800, durationUs: 600 };
    // The callee's agent exports first, the caller's later.
    take(startS - 2, { spans: makeSpans([server]) }, "app-2");
    take(startS - 1, { spans: makeSpans([client]) });
    await clock.advance(1_000);
    take(startS, { buckets: [{ second: startS, requests: [makeRequests("payments", 4, 6)], calls: [] }] }, "app-2");
    const { nodes, edges } = store.topology();
    expect(nodes.map(({ id }) => id).sort()).toEqual([
      "host:app-1",
      "host:app-2",
      "service:orders",
      "service:payments",
    ]);
    expect(edges.find(({ kind }) => kind === "calls")).toMatchObject({
      from: "service:orders",
      to: "service:payments",
      observed: true,
      declared: false,
    });
    expect(store.trace("f1".padStart(32, "0")).map(({ service, peer: to }) => [service, to])).toEqual([
      ["orders", "payments"],
      ["payments", null],
    ]);
  });

  it("tells declared from observed, and when a version changed", async () => {
    take(startS - 2, { services: [seen("orders", ["payments", "postgresql/shop"], "1.0")] });
    await clock.advance(1_000);
    take(startS - 1, {
      services: [seen("orders", ["payments", "postgresql/shop"], "1.1")],
      buckets: [
        { second: startS - 1, requests: [], calls: [makeCalls("orders", "postgresql/shop", "database", 2, 3)] },
      ],
    });
    const edges = store.topology().edges.filter(({ kind }) => kind === "calls");
    expect(edges.map(({ to, declared, observed }) => [to, declared, observed])).toEqual([
      ["service:postgresql/shop", true, true],
      ["service:payments", true, false],
    ]);
    expect(store.service("orders")).toMatchObject({ version: "1.1", versionSince: (startS - 1) * 1_000 });
    expect(store.service("postgresql/shop")).toMatchObject({ kind: "database", calledBy: ["orders"] });
    expect(store.service("nobody")).toBeNull();
  });

  it("counts no call of a service to itself: it stays an entry, whatever name it calls itself by", async () => {
    const calls = [
      makeCalls("shop", "shop", "service", 2, 3),
      makeCalls("shop", "10.0.0.1:80", "address", 2, 3),
      makeCalls("shop", "cart", "service", 2, 3),
    ];
    const peer = { name: "10.0.0.1:80", kind: "address" } as const;
    const spans = makeSpans([
      { trace: "f1", id: "a", service: "shop", kind: 2, peer, startUs: -900, durationUs: 800 },
      { trace: "f1", id: "b", parent: "a", service: "shop", kind: 1, startUs: -800, durationUs: 600 },
    ]);
    const bucket = { second: startS - 3, requests: [makeRequests("shop", 20, 5)], calls };
    take(startS - 1, { services: [seen("shop", ["shop", "cart"])], buckets: [bucket], spans });
    expect(store.service("shop")).toMatchObject({ calledBy: [], dependsOn: ["cart"] });
    const measured = measureServices(store, startS * 1_000, () => []);
    expect(measured.find(({ name }) => name === "shop")).toMatchObject({ isEntry: true, reaches: ["cart"] });
    expect(store.window(startS)?.edges).toEqual([["shop", "cart"]]);
  });

  it("tells a service's own figures from those that its callers measured", async () => {
    const calls = [makeCalls("orders", "payments", "service", 2, 3)];
    take(startS - 2, {
      services: [seen("orders"), seen("payments")],
      buckets: [{ second: startS - 2, requests: [makeRequests("orders", 2, 5)], calls }],
    });
    const figures = () => store.services().map((each) => [each.name, each.tracesItself, each.traffic.latencyMeanMs]);
    expect(figures()).toEqual([
      ["orders", true, 5],
      ["payments", false, 3],
    ]);
    await clock.advance(1_000);
    take(startS - 1, { buckets: [{ second: startS - 1, requests: [makeRequests("payments", 2, 1)], calls: [] }] });
    expect(figures()[1]).toEqual(["payments", true, 1]);
  });

  it("takes two versions side by side for no release, and a third one for one", () => {
    const tell = (node: string, version: string, s: number) =>
      store.take(node, makeTelemetry({ at: s * 1_000, services: [seen("orders", [], version)] }), s * 1_000);
    const orders = () => store.service("orders");
    for (let s = startS; s < startS + 5; s += 1) {
      tell("app-1", "1.0", s);
      tell("app-2", "2.0", s);
    }
    expect(orders()).toMatchObject({ version: "2.0", versionSince: startS * 1_000 });
    tell("app-1", "2.0", startS + 5);
    expect(orders()?.versionSince).toBe(startS * 1_000);
    tell("app-1", "3.0", startS + 6);
    tell("app-2", "2.0", startS + 7);
    expect(orders()).toMatchObject({ version: "3.0", versionSince: (startS + 6) * 1_000 });
    tell("app-1", "2.0", startS + 8);
    expect(orders()).toMatchObject({ version: "2.0", versionSince: (startS + 8) * 1_000 });
  });

  it("corrects a node's clock that is far off, and lets none open the future", () => {
    const bucket = { second: startS + 3_600, requests: [makeRequests("orders", 5, 1)], calls: [] };
    store.take("app-1", makeTelemetry({ at: (startS + 3_600) * 1_000, buckets: [bucket] }), startS * 1_000);
    take(startS, { buckets: [{ ...bucket, second: startS + 10_000 }] });
    const read = store.series("orders", ["requests"], startS * 1_000, startS * 1_000);
    expect(read?.series.requests).toEqual([10]);
  });

  it("counts log templates and keeps one example", () => {
    const log = { service: "orders", level: "error" as const, key: "k", text: "k", traceId: null, events: [] };
    take(startS - 1, { logs: [{ ...log, count: 3, example: "first" }] });
    take(startS, { logs: [{ ...log, count: 4, example: "second" }] });
    expect(store.logTemplates("orders", 0, clock.wallMs() + 1_000)).toMatchObject([{ count: 7, example: "first" }]);
  });

  it("holds half an hour and its limits, and says what it left out", () => {
    const requests = [makeRequests("orders", 1, 1)];
    for (let second = startS - 4_000; second <= startS; second += 50) take(second, { buckets: [bucketOf(second)] });
    function bucketOf(second: number) {
      return { second, requests, calls: [] };
    }
    const { t, series } = store.series("orders", ["requests"], 0, startS * 1_000) ?? { t: [], series: {} };
    expect(t).toHaveLength(secondsKept + 1);
    expect(series.requests?.filter((value) => value === 1)).toHaveLength(secondsKept / 50);
    for (let i = 0; i < 1_000; i += 1) take(startS, { services: [seen(`s${i}`)] });
    expect(store.services().length).toBeLessThanOrEqual(400);
    expect(store.topology().dropped.services).toBe(1_000 - 399);
  });
});

describe("the localizer's window", () => {
  it("is null while nothing was heard", () => {
    expect(store.window(startS)).toBeNull();
  });

  it("lets the localizer name the database whose calls became slow, from what agents sent", () => {
    const faultS = startS - 30;
    for (let second = startS - 600; second < startS; second += 1) {
      const dbMs = second >= faultS ? 120 : 4;
      take(second, {
        buckets: [
          {
            second,
            requests: [makeRequests("gateway", 20, dbMs + 12), makeRequests("orders", 20, dbMs + 6)],
            calls: [
              makeCalls("gateway", "orders", "service", 20, dbMs + 8),
              makeCalls("orders", "postgresql/shop", "database", 20, dbMs),
            ],
          },
        ],
        spans: makeSpans(traceAt(second, dbMs)),
      });
    }
    const window = store.window(faultS);
    expect(window?.nodes).toEqual(["gateway", "orders", "postgresql/shop"]);
    expect(window?.edges).toEqual([
      ["gateway", "orders"],
      ["orders", "postgresql/shop"],
    ]);
    expect(window?.current.metrics.orders?.latency_mean?.values.at(-1)).toBeCloseTo(0.126);
    expect(window?.normal.metrics.orders?.latency_mean?.values.at(-1)).toBeCloseTo(0.01);
    expect(window?.hosts).toMatchObject({ orders: "app-1" });
    expect(localize(window!)[0]?.node).toBe("postgresql/shop");
  });

  it("leaves out traces that one of the agents did not keep", () => {
    const spans = ["80000000", "10000000", "00100000"].map((trace, i) => ({
      trace,
      id: String(i + 1),
      service: "orders",
      kind: 1,
      startUs: 0,
      durationUs: 10,
    }));
    take(startS, { spans: makeSpans(spans, 3), services: [seen("orders")] });
    expect(store.window(startS)?.current.spans?.trace).toHaveLength(2);
  });
});

function traceAt(second: number, dbMs: number): SpanDraft[] {
  const trace = (((second * 2_654_435_761) % 2 ** 32) >>> 0).toString(16);
  const id = (n: number) => (second * 10 + n).toString(16);
  const peer = { name: "postgresql/shop", kind: "database" } as const;
  const orders = { name: "orders", kind: "service" } as const;
  const us = (ms: number) => ms * 1_000;
  return [
    { trace, id: id(1), service: "gateway", kind: 1, startUs: 0, durationUs: us(dbMs + 12) },
    {
      trace,
      id: id(2),
      parent: id(1),
      service: "gateway",
      kind: 2,
      peer: orders,
      startUs: 900,
      durationUs: us(dbMs + 8),
    },
    { trace, id: id(3), parent: id(2), service: "orders", kind: 1, startUs: 1_500, durationUs: us(dbMs + 6) },
    {
      trace,
      id: id(4),
      parent: id(3),
      service: "orders",
      op: "SELECT",
      kind: 2,
      peer,
      startUs: 2_000,
      durationUs: us(dbMs),
    },
  ];
}
