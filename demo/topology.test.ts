import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { planRedis } from "./redis/plan.ts";
import { listPorts, planTopology, portSpan } from "./topology.ts";

it("uses as many ports as its helps say, and no two of one address", () => {
  const topology = planTopology("/nowhere", 7000);
  const redis = planRedis("/nowhere", 7000, topology.server, "cluster");
  const used = [
    ...listPorts(topology).map(({ address }) => address),
    ...redis.flatMap((node) => [node.agentHttp, ...node.redis]),
  ];
  expect(new Set(used.map(({ host, port }) => `${host}:${port}`)).size).toBe(used.length);
  expect(Math.min(...used.map(({ port }) => port))).toBe(7000);
  expect(Math.max(...used.map(({ port }) => port))).toBe(7000 + portSpan - 1);
  // The start of the demo is plain JavaScript, which runs before anything is built.
  const start = readFileSync(new URL("main.js", import.meta.url), "utf8");
  expect(start).toContain(`use ports N to N+${portSpan - 1} `);
});
