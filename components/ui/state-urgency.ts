import type { HealthState } from "../../server/protocol/index.ts";

/** Most urgent first: the order of problems, of legends and of sorting. */
export const stateUrgency: readonly HealthState[] = [
  "down",
  "fenced",
  "suspect",
  "degraded",
  "unknown",
  "maintenance",
  "healthy",
];

const rank = new Map(stateUrgency.map((state, index) => [state, index]));

export function compareUrgency(a: HealthState, b: HealthState): number {
  return (rank.get(a) ?? 0) - (rank.get(b) ?? 0);
}
