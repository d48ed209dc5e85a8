import { describe, expect, it } from "vitest";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import { ErrorCounter } from "./error-counter.ts";
import { makeTrace } from "./make-trace.ts";

const make = (over: Partial<Parameters<typeof makeTrace>[0]> = {}) =>
  makeTrace({
    service: "orders",
    language: "javascript",
    type: "TypeError",
    message: "boom",
    stack: "",
    traceId: null,
    ...over,
  });

function open(store: (trace: ErrorTrace) => Promise<void> = async () => {}) {
  const stored: ErrorTrace[] = [];
  const dropped: number[] = [];
  const counter = new ErrorCounter({
    periodMs: 10,
    store: async (trace) => {
      await store(trace);
      stored.push(trace);
    },
    onDropped: (count) => dropped.push(count),
  });
  return { counter, stored, dropped };
}

describe("the error counter", () => {
  it("makes one record of what is alike, and counts all", async () => {
    const { counter, stored } = open();
    const all = [
      ...Array.from({ length: 500 }, (_, i) => make({ message: `order ${i} failed` })),
      ...Array.from({ length: 300 }, () => make({ stack: "TypeError: boom\n    at f (/a.js:1:2)" })),
    ];
    await Promise.all(all.map((trace) => counter.add([trace])));
    expect(stored.map(({ count, frames }) => [count, frames.length])).toEqual([
      [500, 0],
      [300, 1],
    ]);
  });

  it("stays within its limit when every error is another one, and still counts", async () => {
    const { counter, stored, dropped } = open();
    const letters = (n: number) => [...String(n)].map((digit) => "abcdefghij"[Number(digit)]).join("");
    await counter.add(Array.from({ length: 3_000 }, (_, i) => make({ message: letters(i) })));
    expect(stored.length).toBe(501);
    expect(stored.reduce((sum, { count }) => sum + count, 0)).toBe(3_000);
    expect(dropped).toEqual([]);
  });

  it("never counts beyond what a record has room for", async () => {
    const { counter, stored } = open();
    const many = { ...make({ message: "x" }), count: 1_000_000_000 };
    await Promise.all([counter.add([many]), counter.add([many])]);
    expect(Math.max(...stored.map(({ count }) => count))).toBe(1_000_000_000);
  });

  it("tells whoever waits, and counts, when records can't be stored", async () => {
    let fails = true;
    const { counter, dropped } = open(async () => {
      if (fails) throw new Error("disk full");
    });
    await expect(counter.add([make(), make()])).rejects.toThrow("disk full");
    expect(dropped).toEqual([2]);
    fails = false;
    await expect(counter.add([make()])).resolves.toBeUndefined();
  });
});
