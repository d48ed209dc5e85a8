import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HeartbeatFrame } from "../../server/protocol/index.ts";
import { backoffMs } from "./backoff.ts";
import { Heartbeat, nextOnGrid } from "./heartbeat.ts";

const body = { host: null, postgres: null, peers: [], checks: [], workloads: [] };

describe("the heartbeat", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "hrtime", "Date"] }));
  afterEach(() => vi.useRealTimers());

  function start(intervalMs: number): { readonly beats: HeartbeatFrame[]; readonly heartbeat: Heartbeat } {
    const beats: HeartbeatFrame[] = [];
    const heartbeat = new Heartbeat({ bootId: "boot", collect: () => body, send: (frame) => beats.push(frame) });
    heartbeat.start(intervalMs);
    return { beats, heartbeat };
  }

  it("keeps to its grid, whatever one beat costs", async () => {
    const { beats, heartbeat } = start(250);
    const origin = beats[0]?.monoMs ?? 0;
    for (let turn = 0; turn < 40; turn += 1) await vi.advanceTimersByTimeAsync(251 - (turn % 3));
    heartbeat.stop();
    const grid = beats.filter((beat) => !beat.eager).map((beat) => beat.monoMs - origin);
    for (const at of grid) expect(at % 250).toBeLessThan(2);
    expect(grid.length).toBe(41);
    expect(beats.map((beat) => beat.seq)).toEqual(beats.map((_, index) => index + 1));
  });

  it("tells a change at once, and changes that come together once", async () => {
    const { beats, heartbeat } = start(1_000);
    await vi.advanceTimersByTimeAsync(300);
    heartbeat.beatNow();
    heartbeat.beatNow();
    await vi.advanceTimersByTimeAsync(10);
    expect(beats.map((beat) => beat.eager)).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(690);
    expect(beats.map((beat) => beat.eager)).toEqual([false, true, false]);
    heartbeat.stop();
    heartbeat.beatNow();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(beats.length).toBe(3);
  });
});

describe("the grid", () => {
  it("skips what was missed and never gives a past point", () => {
    expect(nextOnGrid(100, 250, 100)).toBe(350);
    expect(nextOnGrid(100, 250, 349.9)).toBe(350);
    expect(nextOnGrid(100, 250, 1_400)).toBe(1_600);
  });
});

describe("the pause between attempts", () => {
  it("doubles up to its cap and is spread over its upper half", () => {
    const limits = { firstMs: 50, capMs: 2_000 };
    expect([0, 1, 2, 9, 500].map((attempt) => backoffMs(attempt, limits, 0))).toEqual([25, 50, 100, 1_000, 1_000]);
    expect(backoffMs(500, limits, 0.999)).toBeLessThan(2_000);
  });
});
