/**
 * Write-ahead log as a tree of immutable records: each names the one before it, so that a copy is a pointer and
 * "does this history hold that commit" is a walk. Positions are byte positions of the record's end, as PostgreSQL counts.
 */
export interface TimelineSwitch {
  readonly timeline: number;
  /** Where the history leaves that timeline. */
  readonly endLsn: number;
}

export interface WalRecord {
  readonly lsn: number;
  readonly timeline: number;
  readonly previous: WalRecord | null;
  readonly kind: "row" | "probe" | "checkpoint" | "shutdown" | "timeline";
  /** Number of the client's row; 0 for other kinds. */
  readonly row: number;
  /** Timelines before the present one, oldest first; shared between records. */
  readonly history: readonly TimelineSwitch[];
}

export const FIRST_RECORD: WalRecord = {
  lsn: 0x1000000,
  timeline: 1,
  previous: null,
  kind: "checkpoint",
  row: 0,
  history: [],
};

const SIZES = { row: 160, probe: 96, checkpoint: 120, shutdown: 120, timeline: 80 } as const;

export function appendRecord(head: WalRecord, kind: WalRecord["kind"], row = 0): WalRecord {
  return {
    lsn: head.lsn + SIZES[kind],
    timeline: head.timeline,
    previous: head,
    kind,
    row,
    history: head.history,
  };
}

/** The end-of-recovery record that opens `timeline` behind `head`. */
export function switchTimeline(head: WalRecord, timeline: number): WalRecord {
  return {
    lsn: head.lsn + SIZES.timeline,
    timeline,
    previous: head,
    kind: "timeline",
    row: 0,
    history: [...head.history, { timeline: head.timeline, endLsn: head.lsn }],
  };
}

/** Whether the history that ends at `head` holds `record`. */
export function holds(head: WalRecord, record: WalRecord): boolean {
  let at: WalRecord | null = head;
  while (at !== null && at.lsn > record.lsn) at = at.previous;
  return at === record;
}

/** Records of `head`'s history behind `after` (exclusive), oldest first. */
export function recordsSince(head: WalRecord, after: WalRecord): WalRecord[] {
  const records: WalRecord[] = [];
  let at: WalRecord | null = head;
  while (at !== null && at.lsn > after.lsn) {
    records.push(at);
    at = at.previous;
  }
  return records.reverse();
}

/** The last record at or below `lsn` in `head`'s history. */
export function recordAt(head: WalRecord, lsn: number): WalRecord {
  let at: WalRecord = head;
  while (at.lsn > lsn && at.previous !== null) at = at.previous;
  return at;
}

/** The newest record common to both histories. */
export function forkOf(a: WalRecord, b: WalRecord): WalRecord {
  let left: WalRecord = a;
  let right: WalRecord = b;
  while (left !== right) {
    if (left.lsn >= right.lsn) {
      if (left.previous === null) throw new Error("histories of different systems");
      left = left.previous;
    } else {
      if (right.previous === null) throw new Error("histories of different systems");
      right = right.previous;
    }
  }
  return left;
}

/** WAL is asked for from the beginning of a segment. */
const segmentBytes = 16 * 1024 * 1024;

/**
 * A standby that left the history within its present segment is not refused: it asks for the segment's begin, which both have. It is sent the
 * old timeline up to the fork, again and again, and tells each time that it has flushed all that it had replayed before, for a receiver begins
 * with that position (`WalReceiverMain`). Seen on PostgreSQL 15: the primary takes that for an acknowledgement of its own commits.
 */
export function isPastFork(standby: WalRecord, source: WalRecord): boolean {
  const left = source.history.find((entry) => entry.timeline === standby.timeline);
  if (left === undefined || standby.lsn <= left.endLsn) return false;
  return Math.floor(standby.lsn / segmentBytes) * segmentBytes < left.endLsn;
}

/**
 * PostgreSQL's own test when a standby asks to stream: it compares timeline number and position, never the content.
 * `null` when it may follow; else the reason as the server's log gives it.
 */
export function refuseFollow(standby: WalRecord, source: WalRecord): string | null {
  if (standby.timeline === source.timeline) {
    return standby.lsn <= source.lsn ? null : "requested starting point is ahead of the WAL flush position";
  }
  const left = source.history.find((entry) => entry.timeline === standby.timeline);
  if (left === undefined) return "requested timeline is not in this server's history";
  return standby.lsn <= left.endLsn
    ? null
    : "this server's history forked from that timeline before the requested point";
}
