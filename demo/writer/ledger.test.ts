import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Ledger, toRanges } from "./ledger.ts";

it("finds acknowledged numbers that are absent, and only those", () => {
  const ledger = new Ledger(null);
  for (const number of [1, 2, 3, 5, 9000]) ledger.acknowledge(number);
  expect(ledger.missing([1, 3, 4, 9000], ledger.highest)).toEqual([2, 5]);
  expect(ledger.missing([1, 2, 3, 5], 5)).toEqual([]);
  expect(ledger.count).toBe(5);
});

it("remembers over a restart what was acknowledged", () => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  try {
    const path = join(folder, "ledger.txt");
    const first = new Ledger(path);
    for (const number of [1, 2, 3, 7]) first.acknowledge(number);
    first.save();
    first.acknowledge(8);
    first.save();
    const second = new Ledger(path);
    expect(second.count).toBe(5);
    expect(second.highest).toBe(8);
    expect(second.missing([], 8)).toEqual([1, 2, 3, 7, 8]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("writes ranges", () => {
  expect(toRanges([3, 1, 2, 7])).toEqual(["1-3", "7-7"]);
  expect(toRanges([])).toEqual([]);
});
