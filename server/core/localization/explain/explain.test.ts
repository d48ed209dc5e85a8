import { expect, it } from "vitest";
import { localize } from "../localize.ts";
import { EDGES, FAULT_S, makePeriods, makeWindow } from "../synthetic-window.ts";
import { nameCause } from "./causes.ts";
import { explain } from "./explain.ts";
import type { FaultFacts, ServiceFacts } from "./facts.ts";
import { findPath } from "./paths.ts";

const service = (name: string, more: Partial<ServiceFacts> = {}): ServiceFacts => ({
  name,
  kind: "service",
  version: "1",
  versionSince: null,
  tracesItself: true,
  measuresItself: true,
  logs: [],
  ...more,
});

function facts(...changed: readonly ServiceFacts[]): FaultFacts {
  const names = ["shop", "cart", "pay", "db"].filter((name) => !changed.some((each) => each.name === name));
  return {
    entry: "shop",
    faultAt: FAULT_S * 1_000,
    now: (FAULT_S + 600) * 1_000,
    services: [...changed, ...names.map((name) => service(name))],
  };
}

/** `pay` loses requests, and so does `shop` above it. */
const failing = makeWindow(
  makePeriods({
    shop: { requests: [100, 100], error_percent: [0, 30], latency_mean: [0.1, 0.1] },
    cart: { requests: [50, 50], error_percent: [0, 0], latency_mean: [0.05, 0.05] },
    pay: { requests: [50, 50], error_percent: [0, 60], latency_mean: [0.05, 0.05] },
  }),
);

it("names the cause from what the service itself says, and tells why the others are not it", () => {
  const log = {
    level: "error",
    text: "failed <*>",
    example: "failed: ENOSPC: no space left on device",
    traceId: null,
    count: 7,
    firstSeenAt: FAULT_S * 1_000,
  };
  const { suspects, localization } = explain(failing, localize(failing), facts(service("pay", { logs: [log] })), 3);
  expect(suspects[0]).toMatchObject({ subject: { id: "pay" }, cause: "volume-full", class: "hardware" });
  const codes = suspects[0]?.evidence.map(({ code }) => code);
  expect(codes).toContain("logs-new-error");
  expect(codes).toContain("lost-requests");
  const series = suspects[0]?.evidence.find(({ code }) => code === "lost-requests")?.exhibit;
  expect(series).toMatchObject({ kind: "series", subject: "pay", faultAt: FAULT_S * 1_000 });
  for (const runnerUp of suspects.slice(1)) expect(runnerUp.evidence[0]?.stance).toBe("against");
  expect(localization.path).toEqual(["shop", "pay"]);
  expect(localization.missing).toEqual([]);
});

it("takes the figures of a node that sends no spans for its callers', and its own for its own", () => {
  const observersOf = (tracesItself: boolean) =>
    explain(failing, localize(failing), facts(service("pay", { tracesItself })), 1).suspects[0]?.evidence.map(
      ({ code, observer }) => `${code} by ${observer}`,
    );
  expect(observersOf(true)).toEqual(["lost-requests by pay"]);
  expect(observersOf(false)).toEqual(["lost-requests by shop"]);
});

it("reads what a new line says, also when an earlier incident has shown it already", () => {
  const suspect = localize(failing).find(({ node }) => node === "pay");
  if (suspect === undefined) throw new Error("pay is no suspect");
  const text = "POST /pay failed: ENOSPC: no space left on device, write";
  const change = { op: "POST /pay", previous: "", before: 0, after: 0.7, requests: 50, seenBy: [] };
  const evidence = [...suspect.evidence, { kind: "log-template-new", text, level: "error", ...change } as const];
  expect(nameCause({ ...suspect, evidence }, service("pay"), facts())).toBe("volume-full");
  expect(nameCause(suspect, service("pay"), facts())).toBe("throws-errors");
});

it("takes a release that came just before the fault for the cause, and an old one not", () => {
  const released = (beforeS: number) =>
    explain(
      failing,
      localize(failing),
      facts(service("pay", { version: "2", versionSince: (FAULT_S - beforeS) * 1_000 })),
      1,
    ).suspects[0]?.cause;
  expect(released(20)).toBe("release-broken");
  expect(released(3_600)).toBe("throws-errors");
});

it("says what would settle it when nothing stands out", () => {
  const quiet = makeWindow(makePeriods({ shop: { requests: [100, 100], error_percent: [0, 0] } }));
  const { suspects, localization } = explain(quiet, [], facts(service("cart", { tracesItself: false })), 1);
  expect(suspects).toEqual([]);
  expect(localization.missing.map(({ code }) => code)).toContain("spans-of");
});

it("finds the way of calls", () => {
  expect(findPath(EDGES, "shop", "db")).toEqual(["shop", "cart", "db"]);
  expect(findPath(EDGES, "db", "shop")).toEqual(["shop"]);
});
