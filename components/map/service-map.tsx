"use client";
import { useTranslations } from "next-intl";
import { useMemo, useRef } from "react";
import type { TopologyEdge } from "../../server/protocol/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { classes } from "../ui/classes.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";
import { type Layout, layOut } from "./layered-layout.ts";
import { isProblem, type MapModel, type MapService, originOf } from "./map-model.ts";

const box = { width: 168, height: 40 } as const;
const gap = { x: 72, y: 14 } as const;
const margin = 16;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** More rows than a screen has: in the middle, the first ones would be out of sight. */
const rowsCentred = 14;

/** Columns beside each other, each in the middle of the height as long as all of it is seen. */
function findPoints(layout: Layout): { points: ReadonlyMap<string, Point>; width: number; height: number } {
  const rows = Math.max(1, ...layout.layers.map((layer) => layer.length));
  const step = box.height + gap.y;
  const points = new Map<string, Point>();
  for (const { id, layer, row } of layout.places.values()) {
    const length = layout.layers[layer]?.length ?? 1;
    const top = margin + (rows > rowsCentred ? 0 : ((rows - length) * step) / 2);
    points.set(id, { x: margin + layer * (box.width + gap.x), y: top + row * step });
  }
  const width = 2 * margin + layout.layers.length * (box.width + gap.x) - gap.x;
  return { points, width, height: 2 * margin + rows * step - gap.y };
}

function drawCall(from: Point, to: Point): string {
  const forward = to.x > from.x;
  const start = { x: from.x + (forward ? box.width : 0), y: from.y + box.height / 2 };
  const end = { x: to.x + (forward ? 0 : box.width), y: to.y + box.height / 2 };
  const bend = Math.max(30, Math.abs(end.x - start.x) / 2) * (forward ? 1 : -1);
  return `M${start.x},${start.y} C${start.x + bend},${start.y} ${end.x - bend},${end.y} ${end.x},${end.y}`;
}

/** The services that are shown, callers left of what they call; what is wrong is loud, everything else recedes. */
export function ServiceMap({
  model,
  shown,
  matches,
  selected,
  scale,
  onSelect,
}: {
  model: MapModel;
  shown: ReadonlySet<string>;
  /** Null: nothing is searched for. */
  matches: ReadonlySet<string> | null;
  selected: string | null;
  scale: number;
  onSelect: (id: string) => void;
}) {
  const t = useTranslations("map");
  const previous = useRef<Layout | null>(null);
  // Traffic changes every few seconds; the picture only when services or calls come or go.
  const shape = JSON.stringify([[...shown].sort(), model.calls.map((call) => `${call.from} ${call.to}`).sort()]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` is what `shown` and the calls are to the layout
  const layout = useMemo(() => {
    const made = layOut([...shown], model.calls, previous.current?.places ?? new Map());
    previous.current = made;
    return made;
  }, [shape]);
  const { points, width, height } = useMemo(() => findPoints(layout), [layout]);
  const near =
    selected === null ? null : new Set(model.calls.filter((call) => call.from === selected || call.to === selected));
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={t("mapLabel")}
      className="focus-ring max-h-[70vh] min-h-64 overflow-auto rounded-md"
    >
      <svg width={width * scale} height={height * scale} viewBox={`0 0 ${width} ${height}`} className="mx-auto block">
        <title>{t("mapLabel")}</title>
        {model.calls.map((call) => {
          const [from, to] = [points.get(call.from), points.get(call.to)];
          if (from === undefined || to === undefined) return null;
          return (
            <Call
              key={`${call.from} ${call.to}`}
              call={call}
              path={drawCall(from, to)}
              loud={near?.has(call) === true}
              quiet={near !== null && !near.has(call)}
            />
          );
        })}
        {[...points].map(([id, point]) => {
          const service = model.services.get(id);
          if (service === undefined) return null;
          return (
            <ServiceBox
              key={id}
              service={service}
              point={point}
              selected={id === selected}
              faded={matches !== null && !matches.has(id)}
              onSelect={() => onSelect(id)}
            />
          );
        })}
      </svg>
    </section>
  );
}

function Call({ call, path, loud, quiet }: { call: TopologyEdge; path: string; loud: boolean; quiet: boolean }) {
  const t = useTranslations("map");
  const format = useFormat();
  const { traffic } = call;
  const fails = (traffic.errorShare ?? 0) >= 0.05;
  const color = fails ? "stroke-degraded" : loud ? "stroke-accent" : "stroke-line-strong";
  return (
    <path
      d={path}
      fill="none"
      strokeWidth={fails || loud ? 2 : 1.25}
      strokeDasharray={call.observed ? undefined : call.connected ? "1 4" : "4 4"}
      strokeLinecap={call.connected ? "round" : undefined}
      className={classes(color, quiet && !fails && "opacity-35")}
    >
      <title>
        {`${cleanText(call.from.slice(8), 40)} → ${cleanText(call.to.slice(8), 40)}: ${
          call.observed
            ? t("edge", {
                rate:
                  traffic.perSecond === null ? "–" : format.number(traffic.perSecond, traffic.perSecond < 10 ? 1 : 0),
                errors: format.percent(traffic.errorShare, true),
                latency: format.duration(traffic.latencyMeanMs),
              })
            : t(originOf(call))
        }`}
      </title>
    </path>
  );
}

function ServiceBox({
  service,
  point,
  selected,
  faded,
  onSelect,
}: {
  service: MapService;
  point: Point;
  selected: boolean;
  faded: boolean;
  onSelect: () => void;
}) {
  const t = useTranslations("map");
  const format = useFormat();
  const { node, state } = service;
  const { traffic } = node;
  return (
    <foreignObject
      x={point.x}
      y={point.y}
      width={box.width}
      height={box.height}
      className={faded ? "opacity-30" : undefined}
    >
      <button
        type="button"
        onClick={onSelect}
        data-service={node.name}
        aria-pressed={selected}
        className={classes(
          "focus-ring flex size-full items-center gap-2 rounded-md border bg-raised px-2.5 text-left",
          selected ? "border-accent" : isProblem(service) ? "border-degraded" : "border-line",
          !node.observed && (node.connected ? "border-dotted" : "border-dashed"),
        )}
      >
        <span className="inline-flex w-3.5 shrink-0 justify-center">
          <StateGlyph state={state} size={12} withWord />
        </span>
        <span className="min-w-0 flex-1 leading-4">
          <span className="block truncate text-xs font-medium">{cleanText(node.name, 60)}</span>
          <span className="num block truncate text-2xs text-muted">
            {traffic.perSecond === null
              ? t(`kind.${node.kind}`)
              : `${format.number(traffic.perSecond, traffic.perSecond < 10 ? 1 : 0)}/s · ${format.duration(traffic.latencyMeanMs)}${
                  (traffic.errorShare ?? 0) > 0 ? ` · ${format.percent(traffic.errorShare, true)}` : ""
                }`}
          </span>
        </span>
      </button>
    </foreignObject>
  );
}
