import { crc32 } from "node:zlib";
import type { SpoolRecord } from "../../server/protocol/index.ts";

/** One record of the spool with its number. */
export interface SpoolEntry {
  readonly seq: number;
  readonly record: SpoolRecord;
}

/** A line: checksum, space, JSON. The checksum tells a torn line from a whole one. */
export function encodeEntry(entry: SpoolEntry): string {
  const body = JSON.stringify(entry);
  return `${checksum(body)} ${body}\n`;
}

/** Entries up to the first damaged line; what follows a torn line was never acknowledged to anybody. */
export function decodeSegment(text: string): { readonly entries: readonly SpoolEntry[]; readonly wholeBytes: number } {
  const entries: SpoolEntry[] = [];
  let offset = 0;
  while (offset < text.length) {
    const end = text.indexOf("\n", offset);
    if (end < 0) break;
    const entry = decodeLine(text.slice(offset, end));
    if (entry === null) break;
    entries.push(entry);
    offset = end + 1;
  }
  return { entries, wholeBytes: Buffer.byteLength(text.slice(0, offset)) };
}

function decodeLine(line: string): SpoolEntry | null {
  const body = line.slice(9);
  if (line[8] !== " " || checksum(body) !== line.slice(0, 8)) return null;
  return JSON.parse(body) as SpoolEntry;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
