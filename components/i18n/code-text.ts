"use client";
import { useLocale, useTranslations } from "next-intl";
import { useMemo } from "react";
import { formatLsn } from "../../server/core/replication/lsn.ts";
import type { Reason } from "../../server/protocol/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { formatInstant, type TimeZoneChoice } from "../format/time.ts";
import { formatBytes, formatDuration } from "../format/units.ts";
import { usePreferences } from "../shell/preferences.tsx";
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

/** Namespaces of codes that the server sends; each is a group in `messages/*.json`. */
export type CodeNamespace =
  | "audit"
  | "automation.reason"
  | "candidate"
  | "check"
  | "evidence"
  | "failure"
  | "grouping"
  | "incidentTitle"
  | "phase"
  | "problems"
  | "progress"
  | "reason"
  | "refusal"
  | "state"
  | "status"
  | "step"
  | "suspectCause"
  | "timeline"
  | "verdict"
  | "waterfall.detail"
  | "wayBack";

/** Says a code in the reader's language; a code nobody has written words for is shown readably, never dropped. */
export type CodeText = (namespace: CodeNamespace, code: string, data?: CodeData) => string;

/** A dash (`no` for `hasName`) for every argument of a message: a sentence with a gap still says more than its key. */
function missingValues(message: unknown): Record<string, string> {
  const values: Record<string, string> = {};
  for (const match of String(message).matchAll(/\{\s*(\w+)\s*[,}]/g)) {
    const name = match[1] as string;
    values[name] = name.startsWith("has") ? "no" : "–";
  }
  return values;
}

export function useCodeText(): CodeText {
  const t = useTranslations();
  const locale = useLocale() as Locale;
  const { zone } = usePreferences();
  return useMemo(() => {
    return (namespace, code, data = {}) => {
      const key = `${namespace}.${code}`;
      if (!t.has(key)) return humanizeCode(code, data);
      return t(key, { ...missingValues(t.raw(key)), ...messageValues(data, locale, zone) });
    };
  }, [t, locale, zone]);
}

export function useReasonText(namespace: CodeNamespace = "reason"): (reason: Reason) => string {
  const say = useCodeText();
  return (reason) => say(namespace, reason.code, reason.data);
}

/** `wal-stream-ended` → `Wal stream ended (lagBytes 12)`: for codes newer than this screen. */
export function humanizeCode(code: string, data: CodeData = {}): string {
  const words = cleanText(code, 80).replaceAll(/[-_.]+/g, " ");
  const sentence = words.charAt(0).toUpperCase() + words.slice(1);
  const pairs = Object.entries(data)
    .slice(0, 4)
    .map(([name, value]) => `${cleanText(name, 24)} ${cleanText(String(value), 60)}`);
  return pairs.length === 0 ? sentence : `${sentence} (${pairs.join(", ")})`;
}
