import type { ProcessExit } from "../../../server/core/index.ts";
import type { ServerStatus } from "./status-query.ts";
import type { PostmasterExit } from "./supervisor.ts";

/** What is said of a server in a status, from what was seen of it. Pure. */

/** An end that nobody asked for; the control plane takes it as proof of death. A stop that the agent made itself is none. */
export function reportExit(exit: PostmasterExit | null, nowMs: number): ProcessExit | null {
  if (exit === null || exit.expected) return null;
  return { pid: exit.pid, code: exit.code, signal: exit.signal, reaped: exit.reaped, agoMs: nowMs - exit.atMs };
}

/** A primary's flush position; a standby's max(receive, replay). Null when unknown: unknown is not zero. */
export function lsnOf(status: Pick<ServerStatus, "recovery" | "flushLsn" | "receiveLsn" | "replayLsn">): number | null {
  if (!status.recovery) return status.flushLsn;
  if (status.receiveLsn === null) return status.replayLsn;
  return Math.max(status.receiveLsn, status.replayLsn ?? 0);
}

/** Milliseconds since the last replayed transaction while WAL is outstanding; 0 when caught up; null on a primary. */
export function replayLagOf(status: ServerStatus): number | null {
  if (!status.recovery) return null;
  const end = lsnOf(status);
  if (end === null || status.replayLsn === null || status.replayLsn >= end) return 0;
  return status.replayAgeMs;
}
