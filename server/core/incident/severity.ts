import type { Severity, Verdict } from "./types.ts";

/** By impact: 1 writes lost or gone for over a minute (reached later), 2 writes gone for a moment or redundancy lost, 3 degraded, 4 notice. */
export function severityOf(verdict: Verdict): Severity {
  if (verdict.kind === "split-brain") return 1;
  if (verdict.kind.endsWith("-primary")) return 2;
  if (verdict.kind === "unreachable-agent" || verdict.kind === "unusual-level") return 4;
  return 3;
}

/** A first suspect below this is no answer: it is not named in titles, and nothing is suggested on it. */
export const namedAbove = 0.5;
