import type { TimelineEntry } from "../../core/index.ts";
import type { SpoolRecord } from "../../protocol/index.ts";

/** Clocks that differ by less are shown as one. */
const shownClockDifferenceMs = 100;

/** The records of a frame that are still to be applied; empty for a replay and for a gap that the agent did not declare. */
export function takeNewRecords<T>(
  applied: number,
  firstSeq: number,
  skipped: number,
  records: readonly T[],
): readonly T[] {
  if (firstSeq - skipped > applied + 1) return [];
  return records.slice(Math.max(0, applied + 1 - firstSeq));
}

/** A spooled signal as it enters the timeline; `seq` is given by the store. */
export function signalEntry(
  node: string,
  record: Extract<SpoolRecord, { readonly kind: "signal" }>,
  receivedAt: number,
): TimelineEntry {
  return {
    seq: 0,
    incidentId: null,
    at: receivedAt,
    nodeAt: Math.abs(record.at - receivedAt) > shownClockDifferenceMs ? record.at : null,
    lane: "signal",
    kind: record.code,
    subject: { kind: "node", id: node },
    data: record.data,
    evidence: [],
    actor: node,
  };
}
