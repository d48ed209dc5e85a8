import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Drain, drainDefaults, splitWords } from "./drain.ts";

const learnAll = (lines: readonly string[], drain = new Drain()) => lines.map((line) => drain.learn(line));

describe("Drain", () => {
  it("keeps the constant words of a line and masks what is a value by its look", () => {
    expect(splitWords('GET /orders/17 200 in 12.5ms id=7f3a9c0b1d from 10.0.0.7:80 "a b" (3 items)').join(" ")).toBe(
      "GET /orders/<*> <*> in <*> id=<*> from <*> <*> (<*> items)",
    );
  });

  it("learns which words vary", () => {
    const templates = learnAll(["user alice logged in", "user bob logged in", "user carol logged in"]);
    expect(templates.at(-1)).toBe("user <*> logged in");
    expect(new Set(learnAll(["payment accepted for card", "payment refused by bank today"])).size).toBe(2);
  });

  it("tells the lines of a real program apart", () => {
    const lines = Array.from({ length: 300 }, (_, i) => [
      `order ${i} placed in ${i % 40} ms`,
      `connection to 10.0.0.${i % 250}:5432 lost: timeout`,
      `cache miss for key user:${i}`,
    ]).flat();
    const drain = new Drain();
    expect(new Set(learnAll(lines, drain)).size).toBe(3);
    expect(drain.size).toBe(3);
  });

  it("never holds more templates than it may", () => {
    const drain = new Drain({ ...drainDefaults, maxTemplates: 50 });
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (line) => {
        drain.learn(line);
        expect(drain.size).toBeLessThanOrEqual(50);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it("answers the same line with one template as long as it learns nothing new", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-c]{1,2}( [a-c0-9]{1,2}){0,4}$/), { maxLength: 30 }), (lines) => {
        const drain = new Drain();
        learnAll(lines, drain);
        const again = learnAll(lines, drain);
        const third = learnAll(lines, drain);
        expect(third.length).toBe(again.length);
        for (const [i, template] of third.entries())
          expect(template?.split(" ").length).toBe(lines[i]?.split(" ").length);
      }),
      { seed: 1 },
    );
  });
});
