"use client";
import { useTranslations } from "next-intl";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { NodeView } from "../../server/protocol/index.ts";
import { useThemeTurn } from "../charts/colors.ts";
import { useLive } from "../live/live-provider.tsx";
import { useChanges } from "../live/use-entities.ts";
import { StateWord } from "../ui/state-glyph.tsx";
import { useWidth } from "../ui/use-size.ts";
import {
  cellAt,
  chooseCell,
  type FleetLayout,
  type GroupBy,
  groupOf,
  HEADING_PX,
  layoutFleet,
} from "./fleet-layout.ts";
import { createFleetPainter, type FleetPainter } from "./fleet-painter.ts";

/**
 * The whole fleet as cells, one per node, on one canvas. Arrow keys walk, Enter opens. States are read from the live store and
 * painted cell by cell; React renders only when the set of nodes or the grouping changes.
 */
export function FleetMap({
  nodes,
  groupBy,
  maxHeight,
  minCell = 9,
  selected,
  onOpen,
  label,
}: {
  nodes: readonly NodeView[];
  groupBy: GroupBy;
  /** Cells are made as large as fit this height, and never smaller than `minCell` (9 px, to be told apart by shape). */
  maxHeight: number;
  minCell?: number;
  selected?: string | null;
  onOpen: (id: string) => void;
  label: string;
}) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const layout = useStableLayout(nodes, groupBy, width, maxHeight, minCell);
  const canvas = useRef<HTMLCanvasElement>(null);
  usePaintedCells(canvas, layout);
  const [cursor, setCursor] = useState(-1);
  const [hovered, setHovered] = useState(-1);
  const shown = hovered >= 0 ? hovered : cursor;
  const marked = selected == null ? -1 : (layout?.indexOf.get(selected) ?? -1);

  const onKeyDown = (event: KeyboardEvent) => {
    if (layout === null || layout.ids.length === 0) return;
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: layout.columns,
      ArrowUp: -layout.columns,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setCursor((at) => Math.min(layout.ids.length - 1, Math.max(0, at < 0 ? 0 : at + step)));
    } else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) {
      event.preventDefault();
      onOpen(layout.ids[cursor] as string);
    }
  };
  const at = (event: { clientX: number; clientY: number }) => {
    const box = canvas.current?.getBoundingClientRect();
    return layout === null || box === undefined
      ? -1
      : cellAt(layout, event.clientX - box.left, event.clientY - box.top);
  };

  return (
    <div ref={ref} className="relative w-full group-data-[fresh=false]/live:opacity-60">
      {layout !== null && (
        <>
          <div
            role="application"
            aria-label={label}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys walk the cells
            tabIndex={0}
            onKeyDown={onKeyDown}
            onBlur={() => setCursor(-1)}
            onPointerMove={(event) => setHovered(at(event))}
            onPointerLeave={() => setHovered(-1)}
            onClick={(event) => {
              const index = at(event);
              if (index >= 0) onOpen(layout.ids[index] as string);
            }}
            className="focus-ring rounded-sm"
            style={{ cursor: hovered >= 0 ? "pointer" : undefined, height: layout.height }}
          >
            <canvas ref={canvas} style={{ width: layout.width, height: layout.height }} className="block" />
          </div>
          {groupBy !== "none" && <Headings layout={layout} groupBy={groupBy} />}
          <Ring layout={layout} index={marked} />
          <Ring layout={layout} index={shown} quiet />
          {shown >= 0 && <Hint layout={layout} index={shown} />}
        </>
      )}
    </div>
  );
}

/** A layout that stays the same object while ids and groups stay the same, however often states change. */
function useStableLayout(
  nodes: readonly NodeView[],
  by: GroupBy,
  width: number,
  maxHeight: number,
  minCell: number,
): FleetLayout | null {
  const last = useRef<{ signature: string; layout: FleetLayout } | null>(null);
  return useMemo(() => {
    if (width === 0) return null;
    const groups = new Set<string>();
    let hash = nodes.length;
    for (const node of nodes) {
      const group = groupOf(node, by);
      groups.add(group);
      hash = hashText(hash, node.id);
      hash = hashText(hash, group);
    }
    const signature = `${hash}:${by}:${width}:${maxHeight}:${minCell}`;
    if (last.current?.signature === signature) return last.current.layout;
    const layout = layoutFleet(nodes, by, width, chooseCell(nodes.length, groups.size, width, maxHeight, minCell));
    last.current = { signature, layout };
    return layout;
  }, [nodes, by, width, maxHeight, minCell]);
}

/** FNV-1a, enough to tell one set of names from another. */
function hashText(seed: number, text: string): number {
  let hash = seed ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** Paints everything when the layout or theme turns, and otherwise only cells whose node changed. */
function usePaintedCells(canvas: React.RefObject<HTMLCanvasElement | null>, layout: FleetLayout | null): void {
  const { store } = useLive();
  const turn = useThemeTurn();
  const painter = useRef<FleetPainter | null>(null);
  const stateOf = useCallback((id: string) => store.get("node", id)?.state, [store]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme needs other sprites
  useEffect(() => {
    const element = canvas.current;
    if (element === null || layout === null) return;
    const scale = window.devicePixelRatio || 1;
    element.width = Math.max(1, Math.round(layout.width * scale));
    element.height = Math.max(1, Math.round(layout.height * scale));
    painter.current = createFleetPainter(element, layout.cell, scale);
    painter.current.paintAll(layout, stateOf);
  }, [canvas, layout, stateOf, turn]);
  useChanges("node", (ids) => {
    if (layout === null || painter.current === null) return;
    if (ids === null) return painter.current.paintAll(layout, stateOf);
    const cells: number[] = [];
    for (const id of ids) {
      const index = layout.indexOf.get(id);
      if (index !== undefined) cells.push(index);
    }
    painter.current.paintCells(layout, cells, stateOf);
  });
}

function Headings({ layout, groupBy }: { layout: FleetLayout; groupBy: GroupBy }) {
  const t = useTranslations("fleet");
  const state = useTranslations("state");
  const role = useTranslations("role");
  const nameOf = (key: string) => {
    if (groupBy === "state") return state(key);
    if (groupBy === "role") return role(key);
    return key === "" ? t("noCluster") : key;
  };
  return layout.groups.map((group) => (
    <div
      key={group.key}
      className="num pointer-events-none absolute left-0.5 flex items-center text-2xs text-muted"
      style={{ top: group.top, height: HEADING_PX - 4 }}
    >
      {nameOf(group.key)} · {group.count.toLocaleString("en")}
    </div>
  ));
}

function Ring({ layout, index, quiet = false }: { layout: FleetLayout; index: number; quiet?: boolean }) {
  if (index < 0 || index >= layout.ids.length) return null;
  return (
    <div
      aria-hidden
      className={`pointer-events-none absolute rounded-sm border ${quiet ? "border-ink" : "border-2 border-accent"}`}
      style={{ left: layout.xs[index], top: layout.ys[index], width: layout.cell, height: layout.cell }}
    />
  );
}

function Hint({ layout, index }: { layout: FleetLayout; index: number }) {
  const { store } = useLive();
  const id = layout.ids[index];
  const node = id === undefined ? undefined : store.get("node", id);
  if (node === undefined) return null;
  const x = (layout.xs[index] ?? 0) + layout.cell / 2;
  const right = x > layout.width * 0.6;
  return (
    <div
      role="status"
      className="pointer-events-none absolute z-10 rounded-md border border-line-strong bg-raised px-2.5 py-1.5 text-xs whitespace-nowrap"
      style={{ top: (layout.ys[index] ?? 0) + layout.cell + 4, ...(right ? { right: layout.width - x } : { left: x }) }}
    >
      <span className="font-semibold">{node.id}</span> <span className="text-muted">{node.zone}</span>
      <div>
        <StateWord state={node.state} />
      </div>
    </div>
  );
}
