import type { Locale } from "../i18n/locale.ts";

/** Figures as people read them. Pure; every function takes the locale so that it can be tested without a screen. */

export const MISSING = "–";

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** `0 B`, `340 B`, `0.3 MB`, `7.9 GB` (powers of 1000, one decimal below 10). Null becomes a dash: unknown is not zero. */
export function formatBytes(bytes: number | null | undefined, locale: Locale): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return MISSING;
  const sign = bytes < 0 ? "−" : "";
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${sign}${formatNumber(value, locale, unit > 0 && value < 9.95 ? 1 : 0)} ${BYTE_UNITS[unit]}`;
}

export function formatRateBytes(bytesPerSecond: number | null | undefined, locale: Locale): string {
  const text = formatBytes(bytesPerSecond, locale);
  return text === MISSING ? text : `${text}/s`;
}

const numberFormats = new Map<string, Intl.NumberFormat>();

/** Grouped digits with exactly `decimals` decimals. */
export function formatNumber(value: number | null | undefined, locale: Locale, decimals = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const key = `${locale}:${decimals}`;
  let format = numberFormats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    numberFormats.set(key, format);
  }
  return format.format(value);
}

/** 0..1 as `62 %`; one decimal below 10 % when `fine`. */
export function formatPercent(share: number | null | undefined, locale: Locale, fine = false): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return MISSING;
  const percent = share * 100;
  return `${formatNumber(percent, locale, fine && percent < 10 ? 1 : 0)} %`;
}

const DURATION_UNITS: Record<Locale, { s: string; min: string; h: string; d: string }> = {
  en: { s: "s", min: "min", h: "h", d: "d" },
  "zh-CN": { s: "秒", min: "分钟", h: "小时", d: "天" },
};

/** `12 ms`, `0.58 s`, `41 s`, `4 min 12 s`, `3 h 5 min`, `2 d 4 h`: two significant parts at most. */
export function formatDuration(ms: number | null | undefined, locale: Locale): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  const unit = DURATION_UNITS[locale];
  const value = Math.max(0, ms);
  if (value < 99.5) return `${formatNumber(value, locale, value > 0 && value < 0.95 ? 1 : 0)} ms`;
  if (value < 995) return `${formatNumber(value / 1000, locale, 2)} ${unit.s}`;
  if (value < 9_950) return `${formatNumber(value / 1000, locale, value % 1000 === 0 ? 0 : 1)} ${unit.s}`;
  const seconds = Math.round(value / 1000);
  if (seconds < 60) return `${seconds} ${unit.s}`;
  if (seconds < 600) return twoParts(Math.floor(seconds / 60), unit.min, seconds % 60, unit.s);
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} ${unit.min}`;
  if (minutes < 1440) return twoParts(Math.floor(minutes / 60), unit.h, minutes % 60, unit.min);
  const hours = Math.round(minutes / 60);
  return twoParts(Math.floor(hours / 24), unit.d, hours % 24, unit.h);
}

function twoParts(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first} ${firstUnit}` : `${first} ${firstUnit} ${second} ${secondUnit}`;
}
