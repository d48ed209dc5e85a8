import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Action, SealedMember } from "../recovery/types.ts";
import { rankCandidates } from "./failover.ts";
import { type RedisDocument, sealsNeeded } from "./servers.ts";
import { compress, countSlots, expand } from "./slots.ts";

function record(replicas: readonly string[], k: number): RedisDocument {
  const members = ["a", ...replicas].map((id) => [
    id,
    { id, node: id, host: "h", port: 1, standing: "member" as const },
  ]);
  return { id: "carts", primary: "a", kInForce: k, members: Object.fromEntries(members) } as unknown as RedisDocument;
}

const sealed = (node: string, lsn: number): SealedMember => ({ node, timeline: 0, lsn, configurations: [] });

describe("failover of a replica set", () => {
  it("seals so many that every write k replicas confirmed is on one of them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), (count, wished) => {
        const k = Math.min(wished, count);
        const names = Array.from({ length: count }, (_, index) => `r${index}`);
        const needed = sealsNeeded(record(names, k));
        // Any k that confirmed and any `needed` that are sealed have one in common; k more can't be left unsealed.
        expect(needed + k).toBeGreaterThan(count);
        expect(needed).toBeLessThanOrEqual(count);
      }),
    );
  });

  it("promotes the highest offset; a wish decides only between equal ones", () => {
    const of = (target: string | null, ...seals: SealedMember[]) =>
      rankCandidates({ target, sealed: seals } as unknown as Action, record(["b", "c", "d"], 1));
    const far = of("b", sealed("b", 90), sealed("c", 100));
    expect(far.find((each) => each.chosen)?.node).toBe("c");
    expect(far.find((each) => each.node === "b")?.reason).toEqual({ code: "behind", data: { behindBytes: 10 } });
    expect(far.find((each) => each.node === "d")?.reason.code).toBe("not-sealed");
    expect(of("c", sealed("b", 100), sealed("c", 100)).find((each) => each.chosen)?.node).toBe("c");
  });
});

describe("sets of slots", () => {
  it("are the same as ranges and as numbers", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 16_383 }), { maxLength: 200 }), (slots) => {
        const ranges = compress(slots);
        expect(expand(ranges)).toEqual([...slots].sort((a, b) => a - b));
        expect(countSlots(ranges)).toBe(slots.length);
      }),
    );
  });
});
