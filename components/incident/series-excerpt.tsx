"use client";
import { useTranslations } from "next-intl";
import type { Exhibit } from "../../server/core/index.ts";
import { HostileText, Mono, useFormat } from "../ui/text.tsx";

const width = 320;
const height = 72;
const pad = 4;

type Series = Extract<Exhibit, { kind: "series" }>;

/** A recorded series with what was normal, when the fault began, and the deviation since, filled. */
export function SeriesExcerpt({ exhibit }: { exhibit: Series }) {
  const t = useTranslations("exhibit");
  const format = useFormat();
  const { subject, metric, values, normal, faultAt, fromAt, stepMs } = exhibit;
  const scale = makeScale(exhibit);
  const last = [...values].reverse().find((value) => value !== null) ?? null;
  const faultX = scale.x((faultAt - fromAt) / stepMs);
  const say = (value: number | null) => tellValue(metric, value, format);
  const label = t("deviation", { metric, normal: say(normal), now: say(last) });
  return (
    <figure className="min-w-0 rounded-md border border-line bg-well p-2.5">
      <figcaption className="mb-1 flex flex-wrap justify-between gap-x-3 text-xs text-muted">
        <span>
          <Mono>
            <HostileText text={subject} max={60} />
          </Mono>{" "}
          <HostileText text={metric} max={60} />
        </span>
        <span className="num">{t("normalNow", { normal: say(normal), now: say(last) })}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        className="h-18 w-full"
        role="img"
        aria-label={label}
        preserveAspectRatio="none"
      >
        <title>{label}</title>
        <path d={areaSince(exhibit, scale)} className="fill-down" opacity="0.22" />
        <line
          x1={0}
          x2={width}
          y1={scale.y(normal)}
          y2={scale.y(normal)}
          className="stroke-healthy"
          strokeDasharray="4 3"
          vectorEffect="non-scaling-stroke"
        />
        {faultX >= 0 && faultX <= width && (
          <line
            x1={faultX}
            x2={faultX}
            y1={0}
            y2={height}
            className="stroke-down"
            strokeDasharray="2 3"
            vectorEffect="non-scaling-stroke"
          />
        )}
        <path
          d={lineOf(values, scale)}
          fill="none"
          className="stroke-ink"
          strokeWidth="1.5"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
    </figure>
  );
}

interface Scale {
  x(index: number): number;
  y(value: number): number;
}

function makeScale({ values, normal }: Series): Scale {
  const known = values.filter((value) => value !== null);
  const low = Math.min(0, normal, ...known);
  const high = Math.max(normal, ...known, low + 1e-9);
  const steps = Math.max(1, values.length - 1);
  return {
    x: (index) => (index / steps) * width,
    y: (value) => height - pad - ((value - low) / (high - low)) * (height - 2 * pad),
  };
}

function lineOf(values: Series["values"], scale: Scale): string {
  let isOpen = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isOpen = false;
        return "";
      }
      const command = isOpen ? "L" : "M";
      isOpen = true;
      return `${command}${scale.x(index).toFixed(1)} ${scale.y(value).toFixed(1)}`;
    })
    .join("");
}

/** Between what was normal and what was measured, since the fault. */
function areaSince({ values, normal, faultAt, fromAt, stepMs }: Series, scale: Scale): string {
  const from = Math.max(0, Math.floor((faultAt - fromAt) / stepMs));
  const points = values.flatMap((value, index) =>
    index < from || value === null ? [] : [`${scale.x(index).toFixed(1)} ${scale.y(value).toFixed(1)}`],
  );
  if (points.length < 2) return "";
  const base = scale.y(normal).toFixed(1);
  const firstX = points[0]?.split(" ")[0] ?? "0";
  const lastX = points.at(-1)?.split(" ")[0] ?? "0";
  return `M${firstX} ${base}L${points.join("L")}L${lastX} ${base}Z`;
}

/** By what the metric's name says about its unit. */
function tellValue(metric: string, value: number | null, format: ReturnType<typeof useFormat>): string {
  if (value === null) return "–";
  if (/latency/.test(metric)) return format.duration(value * 1_000);
  if (/bytes/i.test(metric)) return format.bytes(value);
  if (/percent/i.test(metric)) return `${format.number(value, value < 10 ? 1 : 0)} %`;
  return format.number(value, Math.abs(value) < 10 ? 2 : 0);
}
