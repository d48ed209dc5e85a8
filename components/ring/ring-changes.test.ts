import { describe, expect, it } from "vitest";
import type { RingChange } from "../../server/core/index.ts";
import { formatChange, parseChange, withChange } from "./ring-changes.ts";

const changes: RingChange[] = [
  { kind: "add", node: { id: "10.0.0.1:6379", weight: 1.5, zone: "east" } },
  { kind: "add", node: { id: "e", weight: 1, zone: null } },
  { kind: "drain", id: "c" },
  { kind: "weight", id: "a", weight: 2 },
  { kind: "remove", id: "d" },
];

describe("changes in the address", () => {
  it("come back as they went", () => {
    for (const change of changes) expect(parseChange(formatChange(change))).toEqual(change);
  });

  it("are left out when they are none", () => {
    for (const text of ["", "drain", "drain~", "weight~a~x", "weight~a~-1", "else~a"])
      expect(parseChange(text)).toBeNull();
  });

  it("replace an earlier change of the same node", () => {
    const drained = withChange([{ kind: "weight", id: "a", weight: 2 }], { kind: "drain", id: "a" });
    expect(drained).toEqual([{ kind: "drain", id: "a" }]);
  });
});
