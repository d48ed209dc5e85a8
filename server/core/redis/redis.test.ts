import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Action, SealedMember } from "../recovery/types.ts";
import { countSealed, rankCandidates } from "./candidates.ts";
import { type RedisDocument, sealsNeeded } from "./servers.ts";
import { compress, countSlots, expand } from "./slots.ts";
import type { RedisHistory } from "./status.ts";
import type { RedisLineage } from "./types.ts";

function record(replicas: readonly string[], k: number, lineage: RedisLineage | null = null): RedisDocument {
  const members = ["a", ...replicas].map((id) => [
    id,
    { id, node: id, host: "h", port: 1, standing: "member" as const },
  ]);
  const document = { id: "carts", primary: "a", kInForce: k, lineage, members: Object.fromEntries(members) };
  return document as unknown as RedisDocument;
}

const sealed = (
  node: string,
  lsn: number,
  replicationId = "H",
  earlier: RedisHistory["earlier"] = null,
): SealedMember => ({
  node,
  timeline: 0,
  lsn,
  configurations: [],
  history: { replicationId, earlier },
});

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

describe("offsets of different histories", () => {
  /** b was promoted at 100: the history H grew out of R there, which grew out of nothing that is remembered but Q. */
  const lineage: RedisLineage = {
    current: { replicationId: "H", earlier: { replicationId: "R", end: 100 } },
    before: ["P"],
    left: ["Q", "R"],
  };
  const judge = (of: RedisLineage | null, ...seals: SealedMember[]) => {
    const set = record(["b", "c", "d"], 1, of);
    const action = { target: null, sealed: seals } as unknown as Action;
    const verdicts = rankCandidates(action, set);
    return {
      chosen: verdicts.find((each) => each.chosen)?.node ?? null,
      counted: countSealed(action, set),
      reasons: Object.fromEntries(verdicts.map((each) => [each.node, each.reason.code])),
    };
  };

  it("an old master that was not resynchronized never wins, however far it wrote, and is known to have confirmed nothing", () => {
    const { chosen, counted, reasons } = judge(lineage, sealed("b", 9_000, "R"), sealed("c", 120));
    expect({ chosen, counted }).toEqual({ chosen: "c", counted: 2 });
    expect(reasons).toMatchObject({ b: "other-history", c: "highest-offset" });
    // Of the epoch before that as well: even a low offset is none in this history.
    expect(judge(lineage, sealed("b", 110, "Q"), sealed("c", 90)).chosen).toBe("c");
  });

  it("who has not gone on yet from where the histories part holds the beginning of this one", () => {
    expect(judge(lineage, sealed("b", 100, "R"), sealed("c", 99, "R"))).toMatchObject({ chosen: "b", counted: 2 });
    expect(judge(lineage, sealed("b", 100, "R"), sealed("c", 101))).toMatchObject({ chosen: "c" });
  });

  it("one of a history nobody knows is no candidate and does not count: it may have confirmed writes", () => {
    expect(judge(lineage, sealed("b", 9_000, "X"), sealed("c", 90))).toMatchObject({ chosen: "c", counted: 1 });
    expect(judge(lineage, sealed("b", 9_000, "X"))).toMatchObject({ chosen: null, counted: 0 });
  });

  it("follows a master that took a new id before we heard of it, unless two went on differently", () => {
    const on = (id: string) => ({ replicationId: id, earlier: { replicationId: "H", end: 110 } });
    const far = sealed("c", 130, "I", on("I").earlier);
    expect(judge(lineage, sealed("b", 105), far, sealed("d", 120, "I", on("I").earlier))).toMatchObject({
      chosen: "c",
    });
    expect(judge(lineage, far, sealed("d", 131, "J", on("J").earlier))).toMatchObject({ chosen: null });
    // What was promoted by hand at 110 lacks what the master wrote after that.
    expect(judge(lineage, far, sealed("b", 115))).toMatchObject({ chosen: "b" });
  });

  it("falls back on the last history of the same master when nobody has come as far as its restart", () => {
    expect(judge(lineage, sealed("b", 500, "P"), sealed("c", 10))).toMatchObject({ chosen: "c", counted: 2 });
    expect(judge(lineage, sealed("b", 500, "P"), sealed("c", 400, "P"))).toMatchObject({ chosen: "b", counted: 2 });
  });

  it("of a promotion whose answer never came knows where it began", () => {
    const begun: RedisLineage = {
      current: { replicationId: null, earlier: { replicationId: "R", end: 100 } },
      before: [],
      left: ["R"],
    };
    const next = sealed("c", 107, "N", { replicationId: "R", end: 100 });
    expect(judge(begun, sealed("b", 9_000, "R"), next, sealed("d", 100, "R"))).toMatchObject({
      chosen: "c",
      counted: 3,
    });
  });

  it("compares servers of one and the same history when none was ever told", () => {
    expect(judge(null, sealed("b", 9), sealed("c", 10))).toMatchObject({ chosen: "c", counted: 2 });
    expect(judge(null, sealed("b", 9), sealed("c", 10, "R"))).toMatchObject({ chosen: null, counted: 0 });
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
