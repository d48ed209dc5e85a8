import type { RuleNumbers } from "./rules.ts";

/** A rule on one subject: whether it is raised, and since when the value asks for the other. Times are wall-clock milliseconds. */
export interface Hysteresis {
  raised: boolean;
  /** When the present run of values that ask for a change began; null: none does. */
  pendingSinceMs: number | null;
  /** When the condition that raised it began. */
  raisedSinceMs: number | null;
}

export function createHysteresis(): Hysteresis {
  return { raised: false, pendingSinceMs: null, raisedSinceMs: null };
}

/** Readings further apart than this say nothing about the time between them. */
const gapMs = 120_000;

/**
 * Takes a value; answers whether the rule has just been raised or cleared. Without a value it stays as it is: silence proves neither. `lastAtMs` is
 * when the value before came.
 */
export function stepHysteresis(
  memory: Hysteresis,
  numbers: RuleNumbers & { readonly direction: "above" | "below" },
  value: number | null,
  atMs: number,
  lastAtMs: number | null,
): "raised" | "cleared" | null {
  if (value === null) {
    memory.pendingSinceMs = null;
    return null;
  }
  if (lastAtMs !== null && atMs - lastAtMs > gapMs) memory.pendingSinceMs = null;
  const sign = numbers.direction === "above" ? 1 : -1;
  const asks = memory.raised ? sign * value <= sign * numbers.clear : sign * value >= sign * numbers.raise;
  if (!asks) {
    memory.pendingSinceMs = null;
    return null;
  }
  memory.pendingSinceMs ??= atMs;
  const heldMs = memory.raised ? numbers.clearForMs : numbers.raiseForMs;
  if (atMs - memory.pendingSinceMs < heldMs) return null;
  memory.raised = !memory.raised;
  memory.raisedSinceMs = memory.raised ? memory.pendingSinceMs : null;
  memory.pendingSinceMs = null;
  return memory.raised ? "raised" : "cleared";
}
