"use client";
import { line } from "d3-shape";
import { useTranslations } from "next-intl";
import type { NodeDetail } from "../../server/protocol/index.ts";
import { useFormat } from "../ui/text.tsx";
import { useWidth } from "../ui/use-size.ts";

const HEIGHT = 150;
const LEFT = 52;
const BOTTOM = 22;
const TOP = 10;
/** Rarer than this is as good as never: one in three years. */
const LEAST = 1e-3;

/** What waiting less would cost: silence before suspicion against expected false alarms a day, both logarithmic. */
export function PriceCurve({ curve, thresholdMs }: { curve: NodeDetail["detectorCurve"]; thresholdMs: number }) {
  const t = useTranslations("node");
  const format = useFormat();
  const [ref, width] = useWidth<HTMLDivElement>();
  const points = curve.filter((point) => point.silenceMs > 0);
  const first = points[0];
  const last = points.at(-1);
  const price = priceAt(points, thresholdMs);
  const most = Math.max(1, ...points.map((point) => point.falseAlarmsPerDay));
  const x = (ms: number) =>
    first === undefined || last === undefined || first.silenceMs === last.silenceMs
      ? LEFT
      : LEFT + (Math.log(ms / first.silenceMs) / Math.log(last.silenceMs / first.silenceMs)) * (width - LEFT - 8);
  const y = (alarms: number) =>
    TOP + (1 - Math.log(Math.max(LEAST, alarms) / LEAST) / Math.log(most / LEAST)) * (HEIGHT - TOP - BOTTOM);
  const path = line<(typeof points)[number]>()
    .x((point) => x(point.silenceMs))
    .y((point) => y(point.falseAlarmsPerDay))(points);
  const ticks = [most, Math.sqrt(most * LEAST), LEAST];
  return (
    <div ref={ref}>
      {first === undefined || last === undefined || width === 0 ? (
        <p className="text-muted">{t("priceUnknown")}</p>
      ) : (
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={t("priceLabel", {
            threshold: format.duration(thresholdMs),
            alarms: formatAlarms(price, format.number),
          })}
          className="num block text-2xs"
        >
          {ticks.map((tick) => (
            <g key={tick}>
              <line x1={LEFT} x2={width} y1={y(tick)} y2={y(tick)} stroke="var(--color-line)" />
              <text x={LEFT - 6} y={y(tick) + 3.5} textAnchor="end" fill="var(--color-muted)">
                {formatAlarms(tick, format.number)}
              </text>
            </g>
          ))}
          {[first.silenceMs, last.silenceMs].map((ms, index) =>
            Math.abs(x(ms) - x(thresholdMs)) < 48 ? null : (
              <text
                key={ms}
                x={x(ms)}
                y={HEIGHT - 5}
                textAnchor={index === 0 ? "start" : "end"}
                fill="var(--color-muted)"
              >
                {format.duration(ms)}
              </text>
            ),
          )}
          <path d={path ?? ""} fill="none" stroke="var(--color-accent)" strokeWidth="1.5" />
          <line
            x1={x(thresholdMs)}
            x2={x(thresholdMs)}
            y1={TOP}
            y2={HEIGHT - BOTTOM}
            stroke="var(--color-down)"
            strokeDasharray="4 3"
          />
          <circle cx={x(thresholdMs)} cy={y(price)} r="3.5" fill="var(--color-ink)" />
          <text
            x={x(thresholdMs)}
            y={HEIGHT - 5}
            textAnchor={x(thresholdMs) > width - 30 ? "end" : "middle"}
            fill="var(--color-ink)"
            stroke="var(--color-panel)"
            strokeWidth="4"
            paintOrder="stroke"
          >
            {format.duration(thresholdMs)}
          </text>
        </svg>
      )}
      <p className="mt-1 text-xs text-muted">
        {t("priceText", { threshold: format.duration(thresholdMs), alarms: formatAlarms(price, format.number) })}
      </p>
    </div>
  );
}

/** Reads the curve at a threshold, between its points geometrically. */
export function priceAt(curve: NodeDetail["detectorCurve"], thresholdMs: number): number {
  const after = curve.findIndex((point) => point.silenceMs >= thresholdMs);
  const high = curve[after];
  const low = curve[after - 1];
  if (high === undefined) return curve.at(-1)?.falseAlarmsPerDay ?? 0;
  if (low === undefined) return high.falseAlarmsPerDay;
  const share = (thresholdMs - low.silenceMs) / (high.silenceMs - low.silenceMs);
  const from = Math.max(LEAST, low.falseAlarmsPerDay);
  const to = Math.max(LEAST, high.falseAlarmsPerDay);
  return from * (to / from) ** share;
}

function formatAlarms(perDay: number, number: (value: number, decimals?: number) => string): string {
  if (perDay <= LEAST) return `<${LEAST}`;
  if (perDay >= 10) return number(perDay);
  return number(perDay, perDay >= 1 ? 1 : perDay >= 0.1 ? 2 : 3);
}
