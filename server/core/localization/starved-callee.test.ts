import { expect, it } from "vitest";
import { createContext } from "./context.ts";
import type { Finding } from "./evidence.ts";
import { blameStarvedCallees } from "./starved-callee.ts";

const gateway = 0;
const orders = 1;
const window = {
  nodes: ["gateway", "orders", "cache"],
  edges: [
    ["gateway", "orders"],
    ["gateway", "cache"],
  ],
  faultTimeS: 100,
  stepS: 2,
  normal: { metrics: {}, edgeMetrics: [] },
  current: { metrics: {}, edgeMetrics: [] },
} as unknown as Parameters<typeof createContext>[0];
const context = createContext(window, { quietUntilS: 98, startS: 100, isEarly: false });

const gap = (peers: readonly string[]): Finding => ({
  node: gateway,
  family: "network-gap",
  magnitude: 50,
  evidence: { kind: "network-gap", source: "spans", peers, beforeMs: 1, afterMs: 51 },
});
const late: Finding = {
  node: gateway,
  family: "latency",
  magnitude: 3,
  evidence: { kind: "excess-latency", metric: "latency", before: 0.01, after: 0.08, amount: 1, share: 3 },
};
const busy = (node: number): Finding => ({
  node,
  family: "cpu",
  magnitude: 10,
  evidence: { kind: "resource-excess", resource: "cpu", metric: "cpuPercent", before: 5, after: 70, typical: 6 },
});
const judge = (...findings: readonly Finding[]) =>
  blameStarvedCallees(context, findings).map(({ node, family }) => `${node} ${family}`);

it("gives the queue in front of a starved process to that process, and its caller's lateness with it", () => {
  expect(judge(gap(["orders"]), late, busy(orders))).toEqual([`${orders} network-gap`, `${orders} cpu`]);
});

it("leaves the gap where it was when others are late, too, when nobody starves, and when the caller does", () => {
  expect(judge(gap(["orders", "cache"]), late, busy(orders))).toEqual(["0 network-gap", "0 latency", "1 cpu"]);
  expect(judge(gap(["orders"]), late)).toEqual(["0 network-gap", "0 latency"]);
  expect(judge(gap(["orders"]), late, busy(gateway))).toEqual(["0 network-gap", "0 latency", "0 cpu"]);
});
