import { readFileSync } from "node:fs";

/**
 * The text of a file under /proc or /sys, or "" where there is none. The kernel answers from memory: going through the thread pool would
 * cost ten times the reading. Never for a file on a disk.
 */
export function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
