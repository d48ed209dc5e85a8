import { expect, it } from "vitest";
import type { RedisMemberView } from "../../protocol/index.ts";
import { findSharedNode } from "./redis-placement.ts";

const server = (id: string, node: string, role: "master" | "replica", slotCount: number) => {
  const shard = { slotCount } as RedisMemberView["shard"];
  return { id, node, role, shard };
};

it("finds the node that took a second master, and minds neither replicas nor masters without slots", () => {
  const apart = [
    server("redis-a-1", "redis-a", "master", 5_461),
    server("redis-a-2", "redis-a", "replica", 0),
    server("redis-b-1", "redis-b", "master", 5_462),
    server("redis-b-2", "redis-b", "master", 0),
  ];
  expect(findSharedNode(apart)).toBeNull();
  const elected = apart.map((each) =>
    each.id === "redis-b-2" ? server("redis-b-2", "redis-b", "master", 5_461) : each,
  );
  expect(findSharedNode(elected)).toEqual({ node: "redis-b", masters: "redis-b-1, redis-b-2" });
});
