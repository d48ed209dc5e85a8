import { expect, it } from "vitest";
import type { Action } from "../core/index.ts";
import { projectActionView } from "./project-record.ts";

const step = (kind: string, node: string, startedAt: number, endedAt: number) => ({ kind, node, startedAt, endedAt });

it("gives a hand-over a bar of its own, before the seals", () => {
  const switchover = {
    kind: "switchover",
    from: "pg-a",
    target: "pg-b",
    epoch: 2,
    startedAt: 1_000,
    decidedAt: 1_000,
    endedAt: 1_500,
    firstSignalAt: null,
    sealed: [],
    steps: [
      step("demote", "pg-a", 1_010, 1_100),
      step("seal", "pg-b", 1_110, 1_200),
      step("seal", "pg-c", 1_110, 1_220),
      step("promote", "pg-b", 1_230, 1_400),
      step("verify", "pg-b", 1_400, 1_490),
    ],
  } as unknown as Action;
  const bars = projectActionView(switchover, null).waterfall ?? [];
  expect(bars.map(({ stage, fromMs, toMs }) => [stage, fromMs, toMs])).toEqual([
    ["decide", 0, 10],
    ["hand-over", 10, 100],
    ["seal", 110, 220],
    ["promote", 230, 400],
    ["verify", 400, 490],
  ]);
});
