"use client";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import { usePreferences } from "../shell/preferences.tsx";
import { useWidth } from "../ui/use-size.ts";
import { useThemeTurn } from "./colors.ts";
import type { SeriesSource } from "./series-source.ts";
import { type ChartLine, type ChartMark, chartData, createOptions } from "./time-chart-options.ts";

export type { ChartLine, ChartMark } from "./time-chart-options.ts";

/** Draws at most this often; the window slides on even when nothing arrives. */
const DRAW_MS = 250;

export interface TimeChartProps {
  readonly source: SeriesSource;
  readonly lines: readonly ChartLine[];
  readonly rangeMs: number;
  readonly height?: number;
  /** Spans to shade: an outage, a maintenance. */
  readonly marks?: readonly ChartMark[];
  /** Said instead of the picture. */
  readonly label: string;
  readonly format: (value: number) => string;
  /** Horizontal line: a threshold. */
  readonly threshold?: { readonly value: number; readonly label: string } | null;
  /** A fixed top of the scale, for what has a known most; otherwise it follows the values. */
  readonly top?: number;
  readonly now: () => number;
}

/** What moves every second. uPlot is loaded when the first chart appears. */
export function TimeChart(props: TimeChartProps) {
  const { source, lines, rangeMs, height = 150, label } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const { zone } = usePreferences();
  const turn = useThemeTurn();
  const latest = useRef(props);
  latest.current = props;
  const key = lines.map((line) => line.name).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the chart is rebuilt when its shape, size, zone or theme changes
  useEffect(() => {
    const element = ref.current;
    if (element === null || width === 0) return;
    let chart: uPlot | null = null;
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let drawnAt = 0;
    const draw = () => {
      timer = null;
      drawnAt = performance.now();
      if (chart === null) return;
      const { now } = latest.current;
      chart.setData(chartData(source.read(), latest.current.lines), false);
      const end = now() / 1000;
      chart.setScale("x", { min: end - rangeMs / 1000, max: end });
    };
    const drawSoon = () => {
      timer ??= setTimeout(draw, Math.max(0, DRAW_MS - (performance.now() - drawnAt)));
    };
    void import("uplot").then(({ default: UPlot }) => {
      if (gone) return;
      chart = new UPlot(
        createOptions(() => latest.current, width, height, zone),
        chartData(source.read(), lines),
        element,
      );
      draw();
    });
    const off = source.subscribe(drawSoon);
    const slide = setInterval(() => {
      if (document.visibilityState !== "hidden") drawSoon();
    }, 1_000);
    return () => {
      gone = true;
      off();
      clearInterval(slide);
      if (timer !== null) clearTimeout(timer);
      chart?.destroy();
    };
  }, [source, key, width, height, zone, turn, rangeMs]);

  return (
    <div
      ref={ref}
      role="img"
      aria-label={label}
      style={{ height }}
      className="w-full group-data-[fresh=false]/live:opacity-60"
    />
  );
}
