import { expect, it } from "vitest";
import { type Acknowledged, AcknowledgementLog, judgeSafety } from "./acknowledgements.ts";
import { formatTable, median, percentile } from "./statistics.ts";

function entry(id: number, node: string, atMs: number): Acknowledged {
  return { id, node, sentMs: atMs - 2, atMs };
}

it("calls a write lost when the final primary does not hold it, and double only when the deposed one promised it too late", () => {
  const entries = [entry(1, "a", 10), entry(2, "a", 20), entry(3, "b", 100), entry(4, "a", 120), entry(5, "a", 130)];
  const verdict = judgeSafety(entries, new Set([1, 3, 5]), "a", 100);
  expect(verdict.lost.map(({ id }) => id)).toEqual([2, 4]);
  expect(verdict.double.map(({ id }) => id)).toEqual([4]);
  expect(judgeSafety(entries, new Set([1, 2, 3, 4, 5]), "a", 100)).toEqual({ lost: [], double: [] });
});

it("finds acknowledgements that are known and those still to come", async () => {
  const log = new AcknowledgementLog();
  log.add(entry(1, "a", 10));
  expect((await log.find(({ node }) => node === "a", 10))?.id).toBe(1);
  const coming = log.find(({ node }) => node === "b", 1_000);
  log.add(entry(2, "b", 20));
  expect((await coming)?.id).toBe(2);
  expect(await log.find(({ node }) => node === "c", 5)).toBeNull();
  expect(log.longestGap(0, 100)).toBe(80);
});

it("counts like a statistician", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNull();
  expect(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.95)).toBe(10);
  expect(percentile([5, 1, 3], 0.5)).toBe(3);
  expect(
    formatTable([
      ["fault", "ms"],
      ["crash", 5],
      ["x", null],
    ]),
  ).toEqual(["fault  ms", "crash   5", "x       –"]);
});
