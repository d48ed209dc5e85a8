import HashRing from "hashring";
import { describe, expect, it } from "vitest";
import { arrangeRing } from "../../server/core/ring/build-ring.ts";
import { pointAt } from "../../server/core/ring/locate.ts";

describe("ring", () => {
  it("finds the same owner as ketama on ketama's points", () => {
    const ids = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"];
    const oracle = new HashRing(ids);
    const points = ids.flatMap((id, index) => oracle.points(id)[id]!.map((position) => ({ position, index })));
    const ring = arrangeRing(
      ids.map((id) => ({ id, weight: 1, zone: null })),
      Uint32Array.from(points, ({ position }) => position),
      Uint16Array.from(points, ({ index }) => index),
    );
    for (let i = 0; i < 5_000; i++) {
      const at = pointAt(ring, oracle.hashValue(`key:${i}`));
      expect(ids[ring.owners[at]!]).toBe(oracle.get(`key:${i}`));
    }
  });
});
