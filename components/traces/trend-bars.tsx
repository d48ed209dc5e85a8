"use client";
import { useTranslations } from "next-intl";
import type { TraceTrend } from "../../server/protocol/index.ts";
import { classes } from "../ui/classes.ts";
import { useFormat } from "../ui/text.tsx";

/** Occurrences per step as bars; the newest at the right. A bar that is not empty is at least a pixel high. */
export function TrendBars({ trend, className }: { trend: TraceTrend; className?: string }) {
  const t = useTranslations("traces");
  const format = useFormat();
  const { counts } = trend;
  const most = Math.max(1, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const label = t("trendLabel", { total: format.number(total), most: format.number(Math.max(0, ...counts)) });
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${counts.length * 4} 24`}
      preserveAspectRatio="none"
      className={classes("block h-6 w-28", className)}
    >
      <line
        x1="0"
        x2={counts.length * 4}
        y1="23.5"
        y2="23.5"
        className="stroke-line"
        vectorEffect="non-scaling-stroke"
      />
      {counts.map((count, index) => {
        const height = count === 0 ? 0 : Math.max(1.5, (count / most) * 22);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={index}
            x={index * 4 + 0.5}
            y={23 - height}
            width="3"
            height={height}
            className="fill-muted"
          />
        );
      })}
    </svg>
  );
}

/** The same large, with the times of its ends and what the highest bar stands for. */
export function TrendChart({ trend }: { trend: TraceTrend }) {
  const t = useTranslations("traces");
  const format = useFormat();
  const most = Math.max(0, ...trend.counts);
  const endMs = trend.fromMs + trend.counts.length * trend.stepMs;
  return (
    <figure>
      <div className="flex gap-3">
        <span className="num w-14 shrink-0 text-right text-xs text-muted">{format.number(most)}</span>
        <TrendBars trend={trend} className="h-28 w-full min-w-0 flex-1" />
      </div>
      <figcaption className="num mt-1 flex justify-between pl-17 text-xs text-muted">
        <span>{format.clock(trend.fromMs, endMs)}</span>
        <span>{t("perStep", { step: format.duration(trend.stepMs) })}</span>
        <span>{t("now")}</span>
      </figcaption>
    </figure>
  );
}
