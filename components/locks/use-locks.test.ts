import { describe, expect, it } from "vitest";
import type { LockProviderView, LockView } from "../../server/protocol/index.ts";
import { countLocks, listPlacedLocks } from "./use-locks.ts";

const lock = (name: string, holder: string | null, waiters: readonly string[]): LockView => ({
  name,
  holder: holder === null ? null : { id: "h", label: holder, token: 1, since: 0, until: 1 },
  waiters: waiters.map((label) => ({ id: label, label, since: 0 })),
});
const provider = (name: string, locks: readonly LockView[]): LockProviderView => ({
  name,
  kind: "postgres",
  promises: [],
  health: { ok: true, latencyMs: 1, detail: "" },
  truncated: false,
  locks,
});
const providers = [
  provider("postgres", [lock("a/report", "worker-1", []), lock("b/import", "worker-2", ["worker-3", "worker-4"])]),
  provider("redis", [lock("c/free", null, ["worker-5"])]),
];

describe("the list of locks", () => {
  it("puts first where somebody waits", () => {
    expect(listPlacedLocks(providers, "", "").map(({ name }) => name)).toEqual(["b/import", "c/free", "a/report"]);
  });

  it("finds by name, holder, waiter and provider", () => {
    const names = (where: string, text: string) => listPlacedLocks(providers, where, text).map(({ name }) => name);
    expect(names("", " REPORT ")).toEqual(["a/report"]);
    expect(names("", "worker-2")).toEqual(["b/import"]);
    expect(names("", "worker-5")).toEqual(["c/free"]);
    expect(names("postgres", "worker-5")).toEqual([]);
  });

  it("counts holders and waiters", () => {
    expect(countLocks(providers)).toEqual({ held: 2, waiting: 3 });
  });
});
