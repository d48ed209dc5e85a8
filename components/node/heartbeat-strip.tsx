"use client";
import { useTranslations } from "next-intl";
import { useFormat } from "../ui/text.tsx";
import { useWidth } from "../ui/use-size.ts";

const HEIGHT = 64;

/** Every beat a bar as tall as the silence before it; the dashed line is the silence at which the node becomes suspect. */
export function HeartbeatStrip({
  beats,
  intervalMs,
  thresholdMs,
}: {
  beats: readonly number[];
  intervalMs: number;
  thresholdMs: number;
}) {
  const t = useTranslations("node");
  const format = useFormat();
  const [ref, width] = useWidth<HTMLDivElement>();
  const longest = Math.max(0, ...beats);
  const top = Math.max(thresholdMs * 1.15, longest, intervalMs * 2);
  const slots = Math.max(beats.length, 60);
  const step = width / slots;
  const y = (ms: number) => HEIGHT - (Math.min(ms, top) / top) * HEIGHT;
  return (
    <div ref={ref}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={t("beatsLabel", {
          count: beats.length,
          longest: format.duration(longest),
          threshold: format.duration(thresholdMs),
        })}
        className="block"
      >
        {beats.map((ms, index) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: beats have no identity, only their place
            key={index}
            x={width - (beats.length - index) * step}
            y={y(ms)}
            width={Math.max(1, step - 1)}
            height={HEIGHT - y(ms)}
            fill={
              ms > thresholdMs
                ? "var(--color-down)"
                : ms > intervalMs * 1.5
                  ? "var(--color-suspect)"
                  : "var(--color-healthy)"
            }
            opacity={ms > intervalMs * 1.5 ? 1 : 0.7}
          />
        ))}
        <line
          x1="0"
          x2={width}
          y1={y(thresholdMs)}
          y2={y(thresholdMs)}
          stroke="var(--color-down)"
          strokeDasharray="4 3"
        />
      </svg>
      <p className="num mt-2 flex flex-wrap justify-between gap-x-4 text-xs text-muted">
        <span>{t("beatsEvery", { interval: format.duration(intervalMs) })}</span>
        <span>{t("beatsLongest", { longest: format.duration(longest) })}</span>
        <span>{t("beatsThreshold", { threshold: format.duration(thresholdMs) })}</span>
      </p>
    </div>
  );
}
