import { formatLsn } from "../../server/core/replication/lsn.ts";
import { cleanText } from "../format/hostile-text.ts";
import { formatInstant, type TimeZoneChoice } from "../format/time.ts";
import { formatBytes, formatDuration } from "../format/units.ts";
import type { Locale } from "./locale.ts";

export type CodeData = Readonly<Record<string, string | number | boolean | null>>;

/**
 * Values of a coded message as the sentence shows them. By the unit at the end of the name: `…Ms` → `0.58 s`, `…Bytes` →
 * `0.3 MB`, `…At`/`…WallMs` → an exact instant, `…Lsn` → `0/5A31F0C8`. Other numbers stay numbers (for plurals), booleans become `yes`/`no` (for
 * `select`), null becomes a dash, and text from nodes is cleaned and capped. For each `name` there is `hasName` (`yes`/`no`), so
 * that a clause can be left out: `{hasTarget, select, yes { to {target}} other {}}`.
 */
export function messageValues(data: CodeData, locale: Locale, zone: TimeZoneChoice): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(data)) {
    values[`has${name.charAt(0).toUpperCase()}${name.slice(1)}`] = value === null ? "no" : "yes";
    if (value === null) values[name] = "–";
    else if (typeof value === "boolean") values[name] = value ? "yes" : "no";
    else if (typeof value === "string") values[name] = cleanText(value, 120);
    else if (/^lsn$|Lsn$/.test(name)) values[name] = formatLsn(value);
    else if (/(At|WallMs)$/.test(name)) values[name] = formatInstant(value, zone);
    else if (name.endsWith("Ms")) values[name] = formatDuration(value, locale);
    else if (name.endsWith("Bytes")) values[name] = formatBytes(value, locale);
    else values[name] = value;
  }
  return values;
}
