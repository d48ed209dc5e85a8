"use client";
import { useLocale, useTranslations } from "next-intl";
import { useMemo } from "react";
import type { Reason } from "../../server/protocol/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { usePreferences } from "../shell/preferences.tsx";
import type { Locale } from "./locale.ts";
import { type CodeData, messageValues } from "./message-values.ts";

export type { CodeData } from "./message-values.ts";
export { messageValues } from "./message-values.ts";

/** Namespaces of codes that the server sends; each is a group in `messages/*.json`. */
export type CodeNamespace =
  | "audit"
  | "automation.reason"
  | "candidate"
  | "changeCheck"
  | "changeFault"
  | "changeStory"
  | "check"
  | "evidence"
  | "failure"
  | "grouping"
  | "incidentTitle"
  | "phase"
  | "problems"
  | "progress"
  | "reason"
  | "redis.promise"
  | "refusal"
  | "state"
  | "status"
  | "step"
  | "suspectCause"
  | "timeline"
  | "verdict"
  | "waterfall.detail"
  | "wouldSettle"
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
      const values = messageValues(data, locale, zone);
      // A step inside a sentence is said by its own name.
      if (typeof data.step === "string" && t.has(`step.${data.step}`))
        values.step = t(`step.${data.step}`).toLocaleLowerCase(locale);
      return t(key, { ...missingValues(t.raw(key)), ...values });
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
