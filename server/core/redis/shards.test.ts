import { describe, expect, it } from "vitest";
import type { RedisServer } from "./servers.ts";
import { answeringShards, findStrays, readOwners, type Shard } from "./shards.ts";

function shard(
  id: string,
  options: { slots?: number; keys?: number; epoch?: number; replicas?: number; importing?: boolean } = {},
): Shard {
  const { slots = 0, keys = 0, epoch = 1, replicas = 0, importing = false } = options;
  const status = {
    id,
    slotCount: slots,
    configEpoch: epoch,
    importing: importing ? [{ slot: 1, from: "x" }] : [],
    migrating: [],
  };
  const master = { member: { id: `redis-${id}` }, status: { keys, shard: status } };
  const others = Array.from({ length: replicas }, () => ({}) as RedisServer);
  return { id, status, master, replicas: others } as unknown as Shard;
}

const planned = [
  { id: "a", nodeIds: ["a", "a2"], name: "redis-a" },
  { id: "b", nodeIds: ["b", "b2"], name: "redis-b" },
];
const straysOf = (...shards: Shard[]) =>
  findStrays(shards, planned).map(({ master, leader }) => [master.member.id, leader.id]);

describe("a master that came back with nothing", () => {
  it("belongs to whoever has its shard now", () => {
    const successor = shard("a2", { slots: 1_802, keys: 439, epoch: 7 });
    expect(straysOf(shard("a"), successor, shard("b", { slots: 8_000 }))).toEqual([["redis-a", "a2"]]);
  });

  it("belongs there also when its shard has been emptied meanwhile: the one with the newer epoch leads", () => {
    expect(straysOf(shard("a"), shard("a2", { epoch: 7 }))).toEqual([["redis-a", "a2"]]);
  });

  it("is none while it has a slot, a key, a replica, or a slot on its way to it", () => {
    const successor = shard("a2", { slots: 1_802, epoch: 7 });
    for (const has of [{ slots: 1 }, { keys: 1 }, { replicas: 1 }, { importing: true }])
      expect(straysOf(shard("a", has), successor)).toEqual([]);
  });

  it("is none when it was emptied on purpose, or is new and in no plan", () => {
    expect(straysOf(shard("a"), shard("b", { slots: 16_384 }))).toEqual([]);
    expect(straysOf(shard("new"), shard("b", { slots: 16_384 }))).toEqual([]);
  });
});

describe("a master that stands still", () => {
  it("claims its slots as before and serves none; its successor has the newer epoch", () => {
    const claiming = (id: string, state: string, epoch: number) => {
      const own = shard(id, { epoch });
      const master = { ...own.master, status: { ...own.master.status, state } };
      return { ...own, master, status: { ...own.status, slots: [[0, 9]] } } as unknown as Shard;
    };
    const [frozen, successor] = [claiming("a", "hung", 1), claiming("a2", "running", 7)];
    expect(readOwners([frozen])[0]).toBe("a");
    expect(readOwners(answeringShards([frozen]))[0]).toBeNull();
    expect(readOwners([successor, frozen])[0]).toBe("a2");
  });
});
