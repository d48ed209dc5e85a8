"use client";
import { Check, Copy } from "lucide-react";
import { useLocale, useTranslations } from "next-intl";
import { type ReactNode, useState } from "react";
import { formatLsn } from "../../server/core/replication/lsn.ts";
import { cleanText } from "../format/hostile-text.ts";
import { formatClock, formatInstant, formatRelative } from "../format/time.ts";
import { formatBytes, formatDuration, formatNumber, formatPercent, MISSING } from "../format/units.ts";
import type { Locale } from "../i18n/locale.ts";
import { useNow } from "../live/use-now.ts";
import { usePreferences } from "../shell/preferences.tsx";
import { classes } from "./classes.ts";
import { Tooltip } from "./tooltip.tsx";

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line bg-raised px-1 font-sans text-2xs text-muted">
      {children}
    </kbd>
  );
}

/** Ids, LSNs, commands. */
export function Mono({ children, className }: { children: ReactNode; className?: string }) {
  return <span className={classes("num font-mono text-[0.92em]", className)}>{children}</span>;
}

/** A log position as PostgreSQL writes it; takes the number or the text. */
export function LsnText({ lsn }: { lsn: number | string | null | undefined }) {
  if (lsn === null || lsn === undefined) return <span className="text-muted">{MISSING}</span>;
  return <Mono>{typeof lsn === "number" ? formatLsn(lsn) : cleanText(lsn, 20)}</Mono>;
}

/** Text that came from a node: escaped, cleaned, capped. */
export function HostileText({ text, max = 240 }: { text: string; max?: number }) {
  return <>{cleanText(text, max)}</>;
}

/** Formats bound to the reader's language. */
export function useFormat() {
  const locale = useLocale() as Locale;
  const { zone } = usePreferences();
  return {
    locale,
    zone,
    bytes: (value: number | null | undefined) => formatBytes(value, locale),
    duration: (ms: number | null | undefined) => formatDuration(ms, locale),
    number: (value: number | null | undefined, decimals = 0) => formatNumber(value, locale, decimals),
    percent: (share: number | null | undefined, fine = false) => formatPercent(share, locale, fine),
    clock: (at: number | null | undefined, now: number) => formatClock(at, zone, now, locale),
    instant: (at: number | null | undefined) => formatInstant(at, zone),
    relative: (at: number | null | undefined, now: number) => formatRelative(at, now, locale),
  };
}

/** `41 s ago`; the exact instant in UTC on hover and focus. */
export function RelativeTime({ at, className }: { at: number | null | undefined; className?: string }) {
  const now = useNow(1_000);
  const format = useFormat();
  if (at === null || at === undefined) return <span className="text-muted">{MISSING}</span>;
  return (
    <Instant at={at} className={className}>
      {format.relative(at, now)}
    </Instant>
  );
}

/** `14:02:17` (with the date when it isn't today); the exact instant on hover. */
export function ClockTime({ at, className }: { at: number | null | undefined; className?: string }) {
  const now = useNow(60_000);
  const format = useFormat();
  if (at === null || at === undefined) return <span className="text-muted">{MISSING}</span>;
  return (
    <Instant at={at} className={className}>
      {format.clock(at, now)}
    </Instant>
  );
}

function Instant({ at, className, children }: { at: number; className?: string; children: ReactNode }) {
  const { zone } = usePreferences();
  return (
    <Tooltip
      text={
        <span className="num">
          {formatInstant(at, "utc")}
          {zone === "local" && <span className="block text-muted">{formatInstant(at, "local")}</span>}
        </span>
      }
    >
      <time dateTime={new Date(at).toISOString()} className={classes("num", className)}>
        {children}
      </time>
    </Tooltip>
  );
}

/** How long something has gone on: `00:41`, `22 min`. */
export function Elapsed({ since }: { since: number }) {
  const now = useNow(1_000);
  const format = useFormat();
  return <span className="num">{format.duration(Math.max(1_000, Math.floor((now - since) / 1_000) * 1_000))}</span>;
}

/** A command to copy, in mono, with a button. */
export function CopyLine({ text, label }: { text: string; label: string }) {
  const t = useTranslations("ui");
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1_500);
    } catch {
      setCopied(false);
    }
  };
  return (
    <div className="flex items-start gap-2 rounded-md border border-line bg-well px-3 py-2">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a line that scrolls must be reachable by keyboard */}
      <section tabIndex={0} aria-label={label} className="focus-ring min-w-0 flex-1 overflow-x-auto">
        <code className="font-mono text-xs leading-5 whitespace-pre">{text}</code>
      </section>
      <button
        type="button"
        onClick={copy}
        aria-label={copied ? t("copied") : t("copy", { what: label })}
        className="focus-ring -my-0.5 inline-flex size-6 shrink-0 items-center justify-center rounded-sm text-muted hover:bg-raised hover:text-ink"
      >
        {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      </button>
    </div>
  );
}
