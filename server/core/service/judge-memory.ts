import { quantile } from "../localization/statistics.ts";
import type { Breach, MemoryLive } from "./types.ts";

/** A value each so often, for an hour: a leak may be slow. */
const sampleEveryMs = 10_000;
const samplesKept = 360;
const samplesNeeded = 3;
/** A program that has just started takes what it needs. Measures, one a second. */
const warmUp = 30;
/** Most of what is remembered lies above it, however the use goes up and down. */
const usualQuantile = 0.2;
const timesUsual = 1.5;
const minExcessBytes = 64 * 1024 * 1024;
/** What goes up and down was as high before; and something that ceased to grow is large, but does not leak. */
const higherBy = 1.005;
const growsForMs = 60_000;

export function createMemoryLive(): MemoryLive {
  return {
    samples: [],
    seen: 0,
    sampledMs: Number.NEGATIVE_INFINITY,
    highest: 0,
    higherMs: Number.NEGATIVE_INFINITY,
    soundMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Whether a service takes ever more memory: far above what it used over the last hour, and still growing. Users need not feel it yet. `bytes`: resident
 * memory of all its processes; null: not measured.
 */
export function judgeMemory(memory: MemoryLive, bytes: number | null, wallMs: number): Breach | null {
  if (bytes === null) return null;
  memory.seen += 1;
  if (memory.seen <= warmUp) return null;
  const normal = memory.samples.length < samplesNeeded ? null : usualOf(memory);
  const limit = normal === null ? null : Math.max(timesUsual * normal, normal + minExcessBytes);
  const isOver = limit !== null && bytes > limit;
  if (!isOver) {
    memory.highest = Math.max(bytes, ...memory.samples);
    memory.soundMs = wallMs;
  } else if (bytes > higherBy * memory.highest) {
    memory.highest = bytes;
    memory.higherMs = wallMs;
  }
  const grows = wallMs - memory.higherMs < growsForMs;
  // What stays up there is what it needs from now on.
  if (!grows && wallMs - memory.soundMs >= growsForMs) memory.samples.length = 0;
  // What it takes while it leaks is not what it usually takes.
  if (!(isOver && grows) && wallMs - memory.sampledMs >= sampleEveryMs) {
    memory.samples.push(bytes);
    memory.sampledMs = wallMs;
    if (memory.samples.length > samplesKept) memory.samples.shift();
  }
  return normal !== null && limit !== null && isOver && grows
    ? { indicator: "memory-growth", value: bytes, normal, limit }
    : null;
}

function usualOf({ samples }: MemoryLive): number {
  return quantile(samples, usualQuantile);
}
