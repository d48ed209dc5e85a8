import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FencedResource, StaleTokenError } from "./fenced-resource.ts";
import { readLease, retryAt } from "./lease-clock.ts";

describe("the lease as its holder counts it", () => {
  it("never outlasts the server's, however slow the answer and however the clocks run apart", () => {
    fc.assert(
      fc.property(
        fc.record({
          sentAtMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
          underwayMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
          ttlMs: fc.integer({ min: 1_000, max: 3_600_000 }),
          /** How much faster the server's clock runs. */
          drift: fc.double({ min: -0.002, max: 0.002, noNaN: true }),
        }),
        ({ sentAtMs, underwayMs, ttlMs, drift }) => {
          const serverEndsAtMs = sentAtMs + underwayMs + ttlMs / (1 + drift);
          const { untilMs, renewAtMs } = readLease(sentAtMs, ttlMs);
          expect(untilMs).toBeLessThanOrEqual(serverEndsAtMs);
          expect(renewAtMs).toBeLessThan(untilMs);
        },
      ),
    );
  });

  it("is tried again while there is time, and never after", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 200_000 }), (untilMs, nowMs) => {
        const at = retryAt({ untilMs, renewAtMs: 0 }, nowMs);
        if (nowMs >= untilMs) expect(at).toBeNull();
        else expect(at).toBeGreaterThan(nowMs);
      }),
    );
  });
});

describe("a fenced resource", () => {
  it("takes writes in the order of tokens only", async () => {
    const resource = new FencedResource("ledger");
    const written: string[] = [];
    await resource.write(4, () => written.push("a"));
    await resource.write(4, () => written.push("b"));
    await resource.write(7, () => written.push("c"));
    await expect(resource.write(4, () => written.push("stale"))).rejects.toThrow(StaleTokenError);
    await expect(resource.write(6, () => written.push("stale"))).rejects.toThrow(/token 7 was seen/);
    await resource.write(8, () => written.push("d"));
    expect(written).toEqual(["a", "b", "c", "d"]);
  });

  it("never lets an older token write after a newer one, whatever the order of arrival", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 }), async (tokens) => {
        const resource = new FencedResource("x");
        const written: number[] = [];
        await Promise.allSettled(
          tokens.map((token) =>
            resource.write(token, async () => {
              await Promise.resolve();
              written.push(token);
            }),
          ),
        );
        expect(written).toEqual(written.toSorted((a, b) => a - b));
      }),
    );
  });
});
