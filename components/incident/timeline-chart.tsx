"use client";
import { useTranslations } from "next-intl";
import { useMemo } from "react";
import type { TimelineEntry } from "../../server/core/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useFormat } from "../ui/text.tsx";
import { useWidth } from "../ui/use-size.ts";
import { type LaneLayout, layoutTimeline, type Mark, placeTicks, type Scale } from "./timeline-layout.ts";

const gutterPx = 84;
const rowPx = 17;
const lanePadPx = 16;

/** Four lanes on one axis. A mark opens its entry; the list beside it says the same in words. */
export function TimelineChart({
  entries,
  fromMs,
  toMs,
  scale,
  selected,
  onSelect,
  labelOf,
}: {
  entries: readonly TimelineEntry[];
  fromMs: number;
  toMs: number;
  scale: Scale;
  selected: number | null;
  onSelect: (seq: number) => void;
  labelOf: (entry: TimelineEntry) => string;
}) {
  const t = useTranslations("timelineView");
  const format = useFormat();
  const [box, measured] = useWidth<HTMLDivElement>();
  const width = Math.max(280, measured);
  const axisPx = Math.max(200, width - gutterPx - 16);
  const layout = useMemo(
    () => layoutTimeline(entries, { fromMs, toMs, scale, widthPx: axisPx, labelOf }),
    [entries, fromMs, toMs, scale, axisPx, labelOf],
  );
  let y = 8;
  const rows = layout.map((lane) => {
    const height = lane.rows * rowPx + lanePadPx;
    const row = { lane, baseline: y + height - 8 };
    y += height + 6;
    return row;
  });
  return (
    <div ref={box} className="min-w-0">
      <svg width={width} height={y + 20} aria-label={t("label")} className="block text-xs">
        {placeTicks(fromMs, toMs, scale, axisPx).map(({ offset, x: at, labelled }) => {
          const x = gutterPx + at;
          return (
            <g key={offset} className="text-muted">
              <line x1={x} x2={x} y1={4} y2={y} stroke="var(--color-line)" strokeDasharray="2 4" />
              {labelled && (
                <text x={x} y={y + 14} textAnchor="middle" fill="currentColor" className="num text-2xs">
                  {offset === 0 ? "0" : `+${format.duration(offset)}`}
                </text>
              )}
            </g>
          );
        })}
        {rows.map(({ lane, baseline }) => (
          <Lane
            key={lane.lane}
            layout={lane}
            baseline={baseline}
            width={width}
            selected={selected}
            onSelect={onSelect}
          />
        ))}
      </svg>
    </div>
  );
}

function Lane({
  layout,
  baseline,
  width,
  selected,
  onSelect,
}: {
  layout: LaneLayout;
  baseline: number;
  width: number;
  selected: number | null;
  onSelect: (seq: number) => void;
}) {
  const t = useTranslations("timelineView");
  return (
    <g>
      <text x={0} y={baseline + 4} fill="var(--color-muted)">
        {t(`lane.${layout.lane}`)}
      </text>
      <line x1={gutterPx} x2={width - 8} y1={baseline} y2={baseline} stroke="var(--color-line)" />
      {layout.marks.map((mark) => (
        <MarkShape
          key={mark.entry.seq}
          mark={mark}
          lane={layout.lane}
          baseline={baseline}
          selected={mark.entry.seq === selected}
          onSelect={onSelect}
        />
      ))}
    </g>
  );
}

const laneColors = {
  signal: "var(--color-degraded)",
  verdict: "var(--color-down)",
  action: "var(--color-accent)",
  person: "var(--color-muted)",
} as const;
const goodKinds = new Set([
  "mitigated",
  "resolved",
  "writes-resumed",
  "writes-audited",
  "member-streaming",
  "verified",
]);

function MarkShape({
  mark,
  lane,
  baseline,
  selected,
  onSelect,
}: {
  mark: Mark;
  lane: LaneLayout["lane"];
  baseline: number;
  selected: boolean;
  onSelect: (seq: number) => void;
}) {
  const x = gutterPx + mark.x;
  const color =
    goodKinds.has(mark.entry.kind) || mark.entry.kind.endsWith("-done")
      ? lane === "action"
        ? laneColors.action
        : "var(--color-healthy)"
      : laneColors[lane];
  const labelY = baseline - 9 - (mark.labelRow ?? 0) * rowPx;
  const label = cleanText(mark.label, 42);
  const open = () => onSelect(mark.entry.seq);
  return (
    // biome-ignore lint/a11y/useSemanticElements: an SVG has no button element
    <g
      role="button"
      tabIndex={0}
      aria-label={mark.label}
      aria-pressed={selected}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        open();
      }}
      className="focus-ring cursor-pointer"
    >
      <title>{mark.label}</title>
      <rect x={x - 9} y={baseline - 9} width={18} height={18} fill="transparent" />
      {selected && <circle cx={x} cy={baseline} r={9} fill="none" stroke="var(--color-accent)" />}
      {mark.labelRow !== null && mark.labelRow > 0 && (
        <line x1={x} x2={x} y1={baseline - 5} y2={labelY + 4} stroke="var(--color-line-strong)" />
      )}
      {lane === "signal" ? (
        <circle cx={x} cy={baseline} r={4.5} fill={color} />
      ) : (
        <rect x={x - 4.5} y={baseline - 4.5} width={9} height={9} rx={lane === "verdict" ? 0 : 2} fill={color} />
      )}
      {mark.labelRow !== null && (
        <text
          x={mark.alignEnd ? x + 4 : x - 4}
          y={labelY}
          textAnchor={mark.alignEnd ? "end" : "start"}
          fill="var(--color-ink)"
          stroke="var(--color-panel)"
          strokeWidth={4}
          paintOrder="stroke"
        >
          {label}
        </text>
      )}
    </g>
  );
}
