import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTranslator } from "use-intl/core";
import { cleanText } from "../../protocol/clean-text.ts";

export type ReportLocale = "en" | "zh-CN";
export type Values = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Says message keys in one language. A code nobody has written words for is shown readably, never dropped. */
export interface Words {
  /** A sentence of the report itself, below `report.`. */
  say(key: string, values?: Values): string;
  /** A code from the record, such as `evidence.probe-timeout`. */
  code(namespace: string, code: string, data?: Values): string;
  duration(ms: number | null): string;
  number(value: number | null): string;
  instant(at: number | null): string;
}

const known = new Map<ReportLocale, Words>();

export function wordsFor(locale: ReportLocale): Words {
  const words = known.get(locale) ?? createWords(locale);
  known.set(locale, words);
  return words;
}

function createWords(locale: ReportLocale): Words {
  const messages = { ...readMessages(`${locale}.json`), report: readMessages(`report.${locale}.json`) };
  const translator = createTranslator({ locale, messages, timeZone: "UTC", onError: () => {} });
  const translate = translator as unknown as (key: string, values: Record<string, string | number>) => string;
  const has = (key: string): boolean => (translator as unknown as { has(key: string): boolean }).has(key);
  const raw = (key: string): string => String((translator as unknown as { raw(key: string): unknown }).raw(key));
  const write = (key: string, values: Values): string =>
    translate(key, { ...absentValues(raw(key)), ...presentValues(values, locale) });
  return {
    say: (key, values = {}) => write(`report.${key}`, values),
    code(namespace, code, data = {}) {
      const key = `${namespace}.${code}`;
      return has(key) ? write(key, data) : humanize(code, data);
    },
    duration: (ms) => formatDuration(ms, locale),
    number: (value) => (value === null ? "–" : value.toLocaleString(locale)),
    instant: formatInstant,
  };
}

/** `messages/` beside the sources, or beside the bundle: both stand below the same root. */
function readMessages(name: string): Record<string, unknown> {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const file = join(at, "messages", name);
    if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    if (at === dirname(at)) throw new Error(`messages/${name} is missing: the installation is incomplete`);
  }
}

/** By the unit at the end of the name, as on the screens: `…Ms` a duration, `…At` an instant, `…Bytes` a size. */
function presentValues(values: Values, locale: ReportLocale): Record<string, string | number> {
  const shown: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(values)) {
    const missing = value === null || value === undefined;
    shown[`has${name.charAt(0).toUpperCase()}${name.slice(1)}`] = missing ? "no" : "yes";
    if (missing) shown[name] = "–";
    else if (typeof value === "boolean") shown[name] = value ? "yes" : "no";
    else if (typeof value === "string") shown[name] = cleanText(value, 200);
    else if (/(At|WallMs)$/.test(name)) shown[name] = formatInstant(value);
    else if (name.endsWith("Ms")) shown[name] = formatDuration(value, locale);
    else if (name.endsWith("Bytes")) shown[name] = `${(value / 1e6).toFixed(1)} MB`;
    else shown[name] = value;
  }
  return shown;
}

/** A message whose values are not all there still says more than its key. */
function absentValues(message: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const match of message.matchAll(/\{\s*(\w+)\s*[,}]/g)) {
    const name = match[1] as string;
    values[name] = name.startsWith("has") ? "no" : "–";
  }
  return values;
}

function humanize(code: string, data: Values): string {
  const words = cleanText(code, 80).replaceAll(/[-_.]+/g, " ");
  const pairs = Object.entries(data).map(([name, value]) => `${name} ${cleanText(String(value), 60)}`);
  const sentence = words.charAt(0).toUpperCase() + words.slice(1);
  return pairs.length === 0 ? sentence : `${sentence} (${pairs.slice(0, 4).join(", ")})`;
}

function formatInstant(at: number | null): string {
  return at === null ? "–" : new Date(at).toISOString().replace("T", " ").replace("Z", "");
}

const units: Readonly<Record<ReportLocale, { s: string; min: string; h: string }>> = {
  en: { s: "s", min: "min", h: "h" },
  "zh-CN": { s: "秒", min: "分钟", h: "小时" },
};

function formatDuration(ms: number | null, locale: ReportLocale): string {
  if (ms === null || !Number.isFinite(ms)) return "–";
  const { s, min, h } = units[locale];
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} ${s}`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} ${min} ${seconds % 60} ${s}`;
  return `${Math.floor(seconds / 3_600)} ${h} ${Math.floor((seconds % 3_600) / 60)} ${min}`;
}
