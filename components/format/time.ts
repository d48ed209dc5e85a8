import type { Locale } from "../i18n/locale.ts";
import { formatDuration, MISSING } from "./units.ts";

/** Which clock the screen shows. Records are UTC; "local" is the browser's zone. */
export type TimeZoneChoice = "utc" | "local";

interface Parts {
  readonly date: string;
  readonly clock: string;
  readonly millis: string;
  readonly zone: string;
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

function split(at: number, zone: TimeZoneChoice): Parts {
  const d = new Date(at);
  if (zone === "utc") {
    return {
      date: `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`,
      clock: `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`,
      millis: pad(d.getUTCMilliseconds(), 3),
      zone: "UTC",
    };
  }
  const offset = -d.getTimezoneOffset();
  const hours = pad(Math.floor(Math.abs(offset) / 60));
  const minutes = Math.abs(offset) % 60;
  return {
    date: `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`,
    clock: `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`,
    millis: pad(d.getMilliseconds(), 3),
    zone: `UTC${offset < 0 ? "−" : "+"}${hours}${minutes === 0 ? "" : `:${pad(minutes)}`}`,
  };
}

/** `2026-11-23 14:02:17.204 UTC`: the exact instant, for titles and records. */
export function formatInstant(at: number | null | undefined, zone: TimeZoneChoice): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return MISSING;
  const parts = split(at, zone);
  return `${parts.date} ${parts.clock}.${parts.millis} ${parts.zone}`;
}

/** `14:02:17` on the day of `now`, `Nov 20` before that; the exact instant belongs in the title. */
export function formatClock(
  at: number | null | undefined,
  zone: TimeZoneChoice,
  now: number,
  locale: Locale = "en",
): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return MISSING;
  const parts = split(at, zone);
  const today = split(now, zone).date;
  if (parts.date === today) return parts.clock;
  return new Intl.DateTimeFormat(locale, {
    month: "short",
    day: "numeric",
    ...(parts.date.slice(0, 4) === today.slice(0, 4) ? {} : { year: "numeric" }),
    ...(zone === "utc" ? { timeZone: "UTC" } : {}),
  }).format(at);
}

/** `14:02:17.204`, for timelines where milliseconds matter. */
export function formatClockMillis(at: number | null | undefined, zone: TimeZoneChoice): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return MISSING;
  const parts = split(at, zone);
  return `${parts.clock}.${parts.millis}`;
}

export function zoneName(at: number, zone: TimeZoneChoice): string {
  return split(at, zone).zone;
}

/** `41 s ago`, `in 12 min`, `now` (within a second). */
export function formatRelative(at: number | null | undefined, now: number, locale: Locale): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return MISSING;
  const elapsedMs = now - at;
  if (Math.abs(elapsedMs) < 1_000) return locale === "zh-CN" ? "刚刚" : "now";
  const whole = Math.trunc(Math.abs(elapsedMs) / 1000) * 1000;
  const text = formatDuration(whole, locale);
  if (locale === "zh-CN") return elapsedMs > 0 ? `${text}前` : `${text}后`;
  return elapsedMs > 0 ? `${text} ago` : `in ${text}`;
}
