import { expect, it } from "vitest";
import { createMemoryLive, judgeMemory } from "./judge-memory.ts";

const megabyte = 1024 * 1024;

/** Breaches, by the second in which they were seen. */
function watch(bytesAt: (second: number) => number, seconds: number): number[] {
  const memory = createMemoryLive();
  const found: number[] = [];
  for (let second = 0; second < seconds; second += 1)
    if (judgeMemory(memory, bytesAt(second) * megabyte, second * 1_000) !== null) found.push(second);
  return found;
}

it("finds a leak while it grows, and no longer when it stays where it is", () => {
  const found = watch((second) => 100 + Math.max(0, Math.min(40, second - 100)) * 6, 400);
  expect(found[0]).toBeGreaterThan(110);
  expect(found[0]).toBeLessThan(116);
  expect(found.at(-1)).toBeLessThan(205);
});

it("finds the next one after the memory was given back", () => {
  const leak = (second: number) => 100 + (second >= 100 && second < 140 ? (second - 100) * 6 : 0);
  const found = watch((second) => leak(second < 300 ? second : second - 200), 500);
  expect(found.some((second) => second < 150)).toBe(true);
  expect(found.some((second) => second > 300 && second < 350)).toBe(true);
});

it("finds a slow one before it has doubled", () => {
  const [first = Number.POSITIVE_INFINITY] = watch((second) => 300 + second * 0.1, 7_200);
  expect(300 + first * 0.1).toBeLessThan(600);
});

it("leaves alone what has just started, what goes up and down, and what is small", () => {
  expect(watch((second) => Math.min(400, 50 + second * 20), 300)).toEqual([]);
  expect(watch((second) => 300 + 100 * Math.sin(second / 60), 3_000)).toEqual([]);
  expect(watch((second) => 10 + Math.max(0, second - 60) * 0.1, 400)).toEqual([]);
});

it("says nothing of a service whose memory nobody measures", () => {
  expect(judgeMemory(createMemoryLive(), null, 0)).toBeNull();
});
