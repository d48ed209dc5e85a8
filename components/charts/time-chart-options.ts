import type uPlot from "uplot";
import type { TimeZoneChoice } from "../format/time.ts";
import { formatClock } from "../format/time.ts";
import { resolveColor } from "./colors.ts";
import type { SeriesWindow } from "./series-source.ts";
import type { TimeChartProps } from "./time-chart.tsx";

export interface ChartLine {
  /** Name in the source. */
  readonly name: string;
  /** Token, such as `--color-accent`. */
  readonly color: string;
  readonly dashed?: boolean;
  readonly fill?: boolean;
}

export interface ChartMark {
  readonly fromMs: number;
  readonly toMs: number;
  readonly label: string;
}

const MIN_MARK_PX = 3;
const HALF_LABEL_PX = 24;

/** A pause this many times longer than the usual step is one: nobody measured then. */
const PAUSE_STEPS = 6;
const LEAST_PAUSE_MS = 5_000;

/** Seconds, and a column a line. Where nobody measured for a while the lines are broken instead of drawn through. */
export function chartData(data: SeriesWindow, lines: readonly ChartLine[]): uPlot.AlignedData {
  const pauses = findPauses(data.t);
  const columns = lines.map((line) => data.series[line.name] ?? new Array<null>(data.t.length).fill(null));
  const seconds = data.t.map((at) => at / 1000);
  if (pauses.length === 0) return [seconds, ...columns];
  return [
    insertAt(seconds, pauses, (before) => before + 0.001),
    ...columns.map((column) => insertAt<number | null>(column, pauses, () => null)),
  ];
}

/** Positions before which there is a pause. */
function findPauses(t: readonly number[]): readonly number[] {
  const usualMs = ((t.at(-1) ?? 0) - (t[0] ?? 0)) / Math.max(1, t.length - 1);
  const pauseMs = Math.max(LEAST_PAUSE_MS, PAUSE_STEPS * usualMs);
  return t.flatMap((at, index) => (index > 0 && at - (t[index - 1] as number) > pauseMs ? [index] : []));
}

function insertAt<T>(column: readonly T[], pauses: readonly number[], value: (before: T) => T): T[] {
  const ends = [...pauses, column.length];
  return ends.flatMap((end, index) => {
    const part = column.slice(pauses[index - 1] ?? 0, end);
    return end === column.length ? part : [...part, value(part.at(-1) as T)];
  });
}

export function createOptions(
  props: () => TimeChartProps,
  width: number,
  height: number,
  zone: TimeZoneChoice,
): uPlot.Options {
  const colors = {
    muted: resolveColor("--color-muted"),
    line: resolveColor("--color-line"),
    down: resolveColor("--color-down"),
    ink: resolveColor("--color-ink"),
    panel: resolveColor("--color-panel"),
  };
  const { lines } = props();
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  return {
    width,
    height,
    padding: [16, 4, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: true, auto: false },
      y: {
        range: (_chart, _min, max) => [0, props().top ?? niceTop(Math.max(max ?? 0, props().threshold?.value ?? 0))],
      },
    },
    axes: [
      {
        stroke: colors.muted,
        font,
        size: 22,
        gap: 4,
        grid: { show: false },
        ticks: { show: false },
        space: 90,
        // A label that would be cut at the right edge is left out.
        values: (chart, values) =>
          values.map((at) =>
            chart.valToPos(at, "x") > chart.bbox.width / devicePixelRatio - HALF_LABEL_PX
              ? null
              : formatClock(at * 1000, zone, at * 1000),
          ),
      },
      {
        stroke: colors.muted,
        font,
        size: (_chart, values) => 10 + Math.max(0, ...(values ?? []).map((value) => value.length)) * 6.4,
        gap: 6,
        ticks: { show: false },
        grid: { stroke: colors.line, width: 1 },
        splits: (chart) => [0, (chart.scales.y?.max ?? 1) / 2, chart.scales.y?.max ?? 1],
        values: (_chart, values) => values.map((value) => props().format(value)),
      },
    ],
    series: [
      {},
      ...lines.map((line) => {
        const stroke = resolveColor(line.color);
        return {
          stroke,
          width: 1.5,
          ...(line.fill ? { fill: withAlpha(stroke, 0.1) } : {}),
          ...(line.dashed ? { dash: [4, 3] } : {}),
          points: { show: false },
          spanGaps: false,
        } satisfies uPlot.Series;
      }),
    ],
    hooks: {
      drawClear: [(chart) => drawMarks(chart, props().marks ?? [], colors.down)],
      draw: [
        (chart) => drawMarkLabels(chart, props().marks ?? [], colors, font),
        (chart) => drawThreshold(chart, props().threshold ?? null, colors, font),
      ],
    },
  };
}

/** The next of 1, 2, 5 × 10ⁿ above the value, so that the scale stands still while the line moves. */
export function niceTop(max: number): number {
  if (!(max > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(max * 1.05));
  const step = [1, 1.5, 2, 3, 5, 7.5, 10].find((each) => each * power >= max * 1.05) ?? 10;
  return step * power;
}

function withAlpha(color: string, alpha: number): string {
  const match = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(color);
  return match === null ? color : `rgba(${match[1]}, ${match[2]}, ${match[3]}, ${alpha})`;
}

function markSpan(chart: uPlot, mark: ChartMark): { left: number; width: number } | null {
  const { min, max } = chart.scales.x ?? {};
  if (min == null || max == null || mark.toMs / 1000 < min || mark.fromMs / 1000 > max) return null;
  const minPx = MIN_MARK_PX * devicePixelRatio;
  const from = chart.valToPos(Math.max(min, mark.fromMs / 1000), "x", true);
  const to = chart.valToPos(Math.min(max, mark.toMs / 1000), "x", true);
  return { left: Math.min(from, to - minPx), width: Math.max(minPx, to - from) };
}

function drawMarks(chart: uPlot, marks: readonly ChartMark[], color: string): void {
  const { ctx, bbox } = chart;
  for (const mark of marks) {
    const span = markSpan(chart, mark);
    if (span === null) continue;
    ctx.fillStyle = withAlpha(color, 0.4);
    ctx.fillRect(span.left, bbox.top - 4 * devicePixelRatio, span.width, bbox.height + 4 * devicePixelRatio);
  }
}

function drawMarkLabels(
  chart: uPlot,
  marks: readonly ChartMark[],
  colors: { ink: string; panel: string },
  font: string,
): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.font = scaleFont(font);
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  let free = Number.POSITIVE_INFINITY;
  for (const mark of [...marks].sort((a, b) => b.fromMs - a.fromMs)) {
    const span = markSpan(chart, mark);
    if (span === null) continue;
    const width = ctx.measureText(mark.label).width;
    const right = bbox.left + bbox.width;
    const left = Math.min(right - width, Math.max(bbox.left, span.left + span.width / 2 - width / 2));
    if (left + width > free) continue;
    free = left - 8;
    ctx.fillStyle = colors.ink;
    ctx.fillText(mark.label, left, 0);
  }
  ctx.restore();
}

function drawThreshold(
  chart: uPlot,
  threshold: TimeChartProps["threshold"] | null,
  colors: { down: string; muted: string },
  font: string,
): void {
  if (!threshold) return;
  const { ctx, bbox } = chart;
  const y = chart.valToPos(threshold.value, "y", true);
  ctx.save();
  ctx.strokeStyle = colors.down;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = scaleFont(font);
  ctx.fillStyle = colors.muted;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(threshold.label, bbox.left + bbox.width, y - 2 * devicePixelRatio);
  ctx.restore();
}

/** Canvas text is measured in device pixels. */
function scaleFont(font: string): string {
  return font.replace(/^(\d+)px/, (_, size: string) => `${Number(size) * devicePixelRatio}px`);
}
