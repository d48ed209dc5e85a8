import { describe, expect, it } from "vitest";
import { buildRing } from "./build-ring.ts";
import { changeNodes } from "./change-nodes.ts";
import { hashBytes, hashKey, utf8Bytes } from "./hash.ts";
import { locate } from "./locate.ts";
import { evenSplitShare, moduloShare } from "./other-rules.ts";
import { crc16, redisSlot } from "./redis-slots.ts";
import { whatIfRing, whatIfSlots } from "./what-if.ts";

const nodesUpTo = (n: number) => Array.from({ length: n }, (_, i) => ({ id: `node-${i}`, weight: 1, zone: null }));

describe("hashes", () => {
  it("agrees with the reference values of MurmurHash3 x86_32", () => {
    expect(hashKey("")).toBe(0);
    expect(hashKey("", 1)).toBe(0x514e28b7);
    expect(hashKey("", 0xffffffff)).toBe(0x81f16f39);
    expect(hashKey("test", 0x9747b28c)).toBe(0x704b81dc);
    expect(hashKey("Hello, world!", 0x9747b28c)).toBe(0x24884cba);
    expect(hashKey("aaa", 0x9747b28c)).toBe(0x283e0130);
    expect(hashKey("ππππππππ", 0x9747b28c)).toBe(0xd58063c1);
    expect(hashBytes([0xff, 0xff, 0xff, 0xff])).toBe(0x76293b50);
  });

  it("hashes UTF-8, whatever the characters", () => {
    for (const text of ["", "a", "żółw", "键值", "🙂 and more", "ab\ud800"]) {
      expect(utf8Bytes(text)).toEqual([...new TextEncoder().encode(text)]);
      expect(hashKey(text, 7)).toBe(hashBytes([...new TextEncoder().encode(text)], 7));
    }
  });

  it("places keys in Redis Cluster's slots, hash tags included", () => {
    expect(crc16(utf8Bytes("123456789"))).toBe(0x31c3);
    expect(redisSlot("foo")).toBe(12182);
    expect(redisSlot("{user1000}.following")).toBe(redisSlot("{user1000}.followers"));
    expect(redisSlot("foo{}{bar}")).toBe(crc16(utf8Bytes("foo{}{bar}")) % 16384);
    expect(redisSlot("foo{{bar}}zap")).toBe(redisSlot("{bar"));
    expect(redisSlot("foo{bar}{zap}")).toBe(redisSlot("bar"));
  });
});

describe("ring", () => {
  it("stays the same ring from release to release", () => {
    const ring = buildRing({ nodes: nodesUpTo(5), vnodes: 128, seed: 1, loadBound: 0.05 });
    const owners = ["cart:1", "cart:2", "user:77", "订单:9", ""].map((key) => locate(ring, key));
    expect(owners).toMatchInlineSnapshot(`
      [
        "node-4",
        "node-4",
        "node-0",
        "node-2",
        "node-0",
      ]
    `);
  });

  it("refuses a node listed twice and more points than it holds", () => {
    const spec = { nodes: nodesUpTo(2), vnodes: 8, seed: 0, loadBound: null };
    expect(() => buildRing({ ...spec, nodes: [...spec.nodes, spec.nodes[0]!] })).toThrow("listed twice");
    expect(() => buildRing({ ...spec, vnodes: 2 ** 21 })).toThrow("more than a ring holds");
  });
});

describe("other rules", () => {
  it("counts what k mod n and a fresh even split move", () => {
    const before = nodesUpTo(6);
    const after = before.slice(0, 5);
    expect(moduloShare(before, after)).toBeCloseTo(5 / 6);
    expect(evenSplitShare(before, after)).toBeCloseTo(0.5);
    expect(moduloShare(before, before)).toBe(0);
  });

  it("counts a node of twice the weight twice", () => {
    const [a, b] = nodesUpTo(2);
    expect(moduloShare([a!, b!], [a!, { ...b!, weight: 2 }])).toBeCloseTo(2 / 3 - 1 / 6);
  });
});

describe("what-if", () => {
  const spec = { nodes: nodesUpTo(10), vnodes: 1_024, seed: 0, loadBound: 0.03 };

  it("moves little more than the fewest keys and stays within the bound", () => {
    const drained = changeNodes(spec.nodes, [{ kind: "drain", id: "node-3" }]).nodes!;
    const outcome = whatIfRing(spec, drained, 1);
    expect(outcome.minimalShare).toBeLessThanOrEqual(outcome.movedShare);
    expect(outcome.movedShare).toBeLessThan(outcome.minimalShare * 1.15);
    expect(outcome.minimalShare).toBeCloseTo(0.1, 1);
    expect(outcome.moduloShare).toBeCloseTo(0.9);
    expect(outcome.balanceAfter).toBeLessThanOrEqual(1.03 + 1e-9);
    expect(outcome.ownership.find(({ node }) => node === "node-3")).toMatchObject({ weightAfter: 0, shareAfter: 0 });
    expect(outcome.copiedShare).toBe(outcome.movedShare);
  });

  it("counts the copies of further replicas too", () => {
    const added = [...spec.nodes, { id: "new", weight: 1, zone: null }];
    const outcome = whatIfRing(spec, added, 3);
    expect(outcome.copiedShare).toBeGreaterThan(3 / 11 - 0.03);
    expect(outcome.copiedShare).toBeLessThan(3 / 11 + 0.06);
  });

  it("plans slots of a table: six masters, one drained", () => {
    const nodes = nodesUpTo(6);
    const owners = Array.from({ length: 16_384 }, (_, slot) => `node-${Math.min(5, Math.floor(slot / 2_731))}`);
    const outcome = whatIfSlots(owners, nodes, changeNodes(nodes, [{ kind: "drain", id: "node-5" }]).nodes!);
    expect(outcome.moves).toHaveLength(owners.filter((owner) => owner === "node-5").length);
    expect(outcome.balanceAfter).toBeCloseTo(1, 3);
    expect(outcome.minimalShare).toBeCloseTo(outcome.movedShare, 12);
  });
});

describe("changes of the nodes", () => {
  const nodes = nodesUpTo(2);

  it("refuses what can't be", () => {
    const refusal = (change: Parameters<typeof changeNodes>[1][number]) => changeNodes(nodes, [change]).refusal;
    expect(refusal({ kind: "add", node: nodes[0]! })).toEqual({ code: "node-exists", node: "node-0" });
    expect(refusal({ kind: "weight", id: "x", weight: 2 })).toEqual({ code: "node-unknown", node: "x" });
    const both = changeNodes(nodes, [
      { kind: "drain", id: "node-0" },
      { kind: "remove", id: "node-1" },
    ]);
    expect(both.refusal).toEqual({ code: "nobody-left" });
  });
});
