import { expect, it } from "vitest";
import type { Incident, Subject } from "../incident/types.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState } from "../state.ts";
import { faultyPeriods } from "./faulty-periods.ts";
import { createServiceLive } from "./judge-indicators.ts";

const minuteMs = 60_000;
/** The incident that is asked about began here. */
const beganAt = 1_000 * minuteMs;
const now = beganAt + minuteMs / 2;

function incident(id: string, subject: Subject, from: number, to: number | null): Incident {
  const cause = { kind: "service-degraded", class: "unknown", subject, cluster: null, confidence: 1, evidence: [] };
  return {
    id,
    cluster: null,
    cause,
    symptoms: [],
    beganAt: from,
    openedAt: from,
    resolvedAt: to,
  } as unknown as Incident;
}

/** `shop` calls `cart` on app-1, which stands on the cluster `orders`; `blog` has nothing to do with them. */
function periodsOf(...others: readonly Incident[]): (readonly [number, number])[] {
  const state = createState(defaultPolicy);
  const services = [
    { name: "shop", nodes: ["app-0"], reaches: ["cart"], clusters: ["orders"] },
    { name: "cart", nodes: ["app-1"], reaches: [], clusters: ["orders"] },
    { name: "mobile", nodes: ["app-3"], reaches: ["cart"], clusters: [] },
    { name: "blog", nodes: ["app-2"], reaches: ["comments"], clusters: ["wiki"] },
  ];
  const figures = { isEntry: true, requests: 1, errorShare: 0, latencyP95Ms: 1, memoryBytes: null };
  for (const each of services) state.live.services.set(each.name, createServiceLive({ ...each, ...figures }));
  const own = incident("own", { kind: "service", id: "shop" }, beganAt, null);
  for (const each of [own, ...others]) state.durable.incidents.set(each.id, each);
  return faultyPeriods(state, own, now);
}

const service = (id: string) => ({ kind: "service", id }) as const;
const node = (id: string) => ({ kind: "node", id }) as const;

it("leaves out what an earlier fault of the same services took, with the time it takes to be well again", () => {
  const ended = incident("a", service("shop"), beganAt - 20 * minuteMs, beganAt - 10 * minuteMs);
  expect(periodsOf(ended)).toEqual([[beganAt - 20 * minuteMs, beganAt - 10 * minuteMs + 15_000]]);
  expect(periodsOf({ ...ended, cause: { ...ended.cause, subject: service("mobile") } })).toHaveLength(1);
  expect(periodsOf({ ...ended, cause: { ...ended.cause, subject: node("app-1") } })).toHaveLength(1);
  expect(periodsOf({ ...ended, cause: { ...ended.cause, subject: node("pg-a") }, cluster: "orders" })).toHaveLength(1);
});

it("takes nothing away for faults of others", () => {
  for (const subject of [service("blog"), service("comments"), node("app-2"), { kind: "cluster", id: "wiki" } as const])
    expect(periodsOf(incident("a", subject, beganAt - 20 * minuteMs, null))).toEqual([]);
});

it("leaves out only the beginning of what has been open for long: normal operation is not used up by it", () => {
  const from = beganAt - 25 * minuteMs;
  expect(periodsOf(incident("a", node("app-1"), from, null))).toEqual([[from, from + 5 * minuteMs]]);
  expect(periodsOf(incident("a", node("app-1"), beganAt - 3_000 * minuteMs, null))).toEqual([]);
  const endedSince = incident("a", node("app-1"), from, beganAt + 1_000);
  expect(periodsOf(endedSince)).toEqual([[from, from + 5 * minuteMs]]);
});

it("leaves out the whole of what began just before: it may be the same fault", () => {
  const from = beganAt - 2 * minuteMs;
  expect(periodsOf(incident("a", node("app-1"), from, null))).toEqual([[from, now]]);
});
