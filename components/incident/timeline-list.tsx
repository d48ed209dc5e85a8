"use client";
import { Link2 } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect } from "react";
import type { TimelineEntry } from "../../server/core/index.ts";
import { formatClockMillis } from "../format/time.ts";
import { classes } from "../ui/classes.ts";
import { useFormat } from "../ui/text.tsx";
import { EvidenceLine } from "./suspects.tsx";

/** The same story in words, top to bottom. Every entry has an address of its own (`#t-12`). */
export function TimelineList({
  entries,
  fromMs,
  selected,
  onSelect,
  labelOf,
}: {
  entries: readonly TimelineEntry[];
  fromMs: number;
  selected: number | null;
  onSelect: (seq: number) => void;
  labelOf: (entry: TimelineEntry) => string;
}) {
  const t = useTranslations("timelineView");
  const format = useFormat();
  useEffect(() => {
    if (selected !== null) document.getElementById(`t-${selected}`)?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  return (
    <ol>
      {entries.map((entry) => (
        <li
          key={entry.seq}
          id={`t-${entry.seq}`}
          className={classes(
            "group grid grid-cols-[6.5rem_5rem_1fr_1.5rem] items-baseline gap-x-3 border-t border-line px-1 py-1.5 max-sm:grid-cols-[5.5rem_1fr_1.5rem]",
            entry.seq === selected && "bg-accent-wash",
          )}
        >
          <time
            dateTime={new Date(entry.at).toISOString()}
            className="num text-xs text-muted"
            title={format.instant(entry.at)}
          >
            {formatClockMillis(entry.at, format.zone)}
            <span className="block text-2xs">+{format.duration(entry.at - fromMs)}</span>
          </time>
          <span className="text-xs text-muted max-sm:hidden">{t(`lane.${entry.lane}`)}</span>
          <div className="min-w-0">
            <p className={classes(entry.lane === "verdict" && "font-semibold", "break-words")}>
              {labelOf(entry)}
              {entry.actor !== "holdfast" && (
                <span className="text-muted">
                  {" "}
                  · {entry.actor === "control-plane" ? t("controlPlane") : entry.actor}
                </span>
              )}
            </p>
            {entry.nodeAt !== null && (
              <p className="num text-xs text-muted">
                {t("twoClocks", {
                  node: entry.subject.id,
                  at: formatClockMillis(entry.nodeAt, format.zone),
                  ahead: format.duration(Math.abs(entry.nodeAt - entry.at)),
                })}
              </p>
            )}
            {entry.seq === selected && entry.evidence.length > 0 && (
              <ul className="mt-1 flex flex-col gap-0.5 text-sm">
                {entry.evidence.map((item) => (
                  <EvidenceLine key={`${item.code}-${item.observer}`} evidence={item} />
                ))}
              </ul>
            )}
          </div>
          <a
            href={`#t-${entry.seq}`}
            onClick={() => onSelect(entry.seq)}
            aria-label={t("permalink", { what: labelOf(entry) })}
            className="focus-ring inline-flex size-6 items-center justify-center rounded-sm text-muted opacity-60 group-hover:opacity-100 hover:text-ink"
          >
            <Link2 size={13} aria-hidden />
          </a>
        </li>
      ))}
    </ol>
  );
}
