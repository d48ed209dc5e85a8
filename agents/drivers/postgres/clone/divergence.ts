import type { Lsn } from "../../../../server/core/replication/lsn.ts";
import { parseHistory, type TimelineSwitch } from "../data-directory.ts";

/** Where a member's WAL is no longer the primary's. Pure. */

export interface WalEnd {
  readonly lsn: Lsn;
  readonly timeline: number;
}

/** A primary's own timeline, how far it has come, and where it left each ancestor. */
export interface History {
  readonly timeline: number;
  readonly flushLsn: Lsn;
  readonly lineage: readonly TimelineSwitch[];
}

/**
 * The first position that only this member has; null when the primary has everything. Unknown is not nothing: without a known end, or on a
 * timeline that the primary never was on, everything counts (0).
 */
export function firstDivergentLsn(own: WalEnd | null, history: History): Lsn | null {
  if (own === null) return 0;
  const left = history.lineage.find((branch) => branch.parent === own.timeline)?.lsn;
  const fork = left ?? (own.timeline === history.timeline ? history.flushLsn : null);
  if (fork === null) return 0;
  return own.lsn <= fork ? null : fork;
}

/** Every line of a history file. */
export function parseLineage(text: string | null): readonly TimelineSwitch[] {
  return (text ?? "").split("\n").flatMap((line) => parseHistory(line) ?? []);
}

/** Number of the segment that a WAL file's name stands for. Source: PostgreSQL, `XLogFileName`. */
export function segmentOf(name: string, segmentBytes: number): number {
  const perId = 0x1_0000_0000 / segmentBytes;
  return Number.parseInt(name.slice(8, 16), 16) * perId + Number.parseInt(name.slice(16), 16);
}
