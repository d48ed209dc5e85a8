/** Where a page of incidents ended: incidents are ordered by opening time and id, newest first. */
export interface IncidentCursor {
  readonly openedAt: number;
  readonly id: string;
}

export function encodeIncidentCursor(cursor: IncidentCursor): string {
  return `${cursor.openedAt}:${cursor.id}`;
}

/** Null for anything that is not a cursor: the first page is shown then. */
export function decodeIncidentCursor(text: string | undefined): IncidentCursor | null {
  const match = /^(\d{1,16}):(.{1,64})$/.exec(text ?? "");
  return match === null ? null : { openedAt: Number(match[1]), id: match[2] as string };
}

/** The audit is ordered by `seq`, newest first; the cursor is the last one shown. */
export function decodeAuditCursor(text: string | undefined): number | null {
  return /^\d{1,15}$/.test(text ?? "") ? Number(text) : null;
}

const maxPage = 500;

export function clampLimit(limit: number): number {
  return Math.min(maxPage, Math.max(1, Math.floor(limit)));
}
