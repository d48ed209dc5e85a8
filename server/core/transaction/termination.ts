import type { Report } from "./types.ts";

/**
 * What a backup coordinator may try, from the reports of those that it reaches (Keidar and Dolev's E3PC): a known outcome is the outcome; with a majority,
 * the newest attempt wins; without one nothing is tried.
 */
export function chooseAttempt(
  reports: readonly Report[],
  majority: number,
): "wait" | "commit" | "abort" | "pre-commit" | "pre-abort" {
  if (reports.some(({ state }) => state === "committed")) return "commit";
  if (reports.some(({ state }) => state === "aborted")) return "abort";
  if (reports.length < majority) return "wait";
  const newest = Math.max(...reports.map(({ attempt }) => attempt));
  const committable = reports.some(({ state, attempt }) => state === "pre-committed" && attempt === newest);
  return committable ? "pre-commit" : "pre-abort";
}
