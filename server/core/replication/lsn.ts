/**
 * A PostgreSQL log sequence number as a byte position. A JavaScript number holds it exactly up to 8 PiB of WAL.
 * Source: PostgreSQL manual, "pg_lsn Type".
 */
export type Lsn = number;

/** Reads `X/Y` (two hexadecimal halves, high then low 32 bits). Returns null for anything else. */
export function parseLsn(text: string | null | undefined): Lsn | null {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text ?? "");
  if (match === null) return null;
  return Number.parseInt(match[1] as string, 16) * 0x1_0000_0000 + Number.parseInt(match[2] as string, 16);
}

/** Writes a byte position as PostgreSQL does: `5/A31F0C8`. */
export function formatLsn(lsn: Lsn): string {
  const high = Math.floor(lsn / 0x1_0000_0000);
  return `${high.toString(16).toUpperCase()}/${(lsn % 0x1_0000_0000).toString(16).toUpperCase()}`;
}
