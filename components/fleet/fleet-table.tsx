// biome-ignore-all lint/a11y/useSemanticElements: rows are virtual and absolutely placed, which table elements can not be
// biome-ignore-all lint/a11y/useFocusableInteractive: rows and cells of a table are not focusable, what is in them is
"use client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useDeferredValue, useMemo, useRef } from "react";
import type { NodeView } from "../../server/protocol/index.ts";
import { useEntity } from "../live/use-entities.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { classes } from "../ui/classes.ts";
import { StateWord } from "../ui/state-glyph.tsx";
import { RelativeTime, useFormat } from "../ui/text.tsx";
import { type SortKey, sortKeys, sortNodes } from "./sort-nodes.ts";
import { UsageBar } from "./usage-bar.tsx";

const ROW_PX = 36;
const widths: Record<SortKey, string> = {
  state: "w-32",
  id: "w-44 grow",
  role: "w-24",
  cluster: "w-32",
  zone: "w-24",
  cpu: "w-28",
  memory: "w-28",
  disk: "w-28",
  suspicion: "w-24",
  seen: "w-28",
};

/** The table twin of the map: only the rows in view are in the page. `j`/`k` walk, Enter opens. */
export function FleetTable({
  nodes,
  sort,
  order,
  onSort,
  onOpen,
  selected,
}: {
  nodes: readonly NodeView[];
  sort: SortKey;
  order: "asc" | "desc";
  onSort: (sort: SortKey, order: "asc" | "desc") => void;
  onOpen: (id: string) => void;
  selected: string | null;
}) {
  const t = useTranslations("fleet");
  const scroll = useRef<HTMLDivElement>(null);
  const shown = useDeferredValue(nodes);
  const ids = useMemo(() => sortNodes(shown, sort, order), [shown, sort, order]);
  const virtual = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => ids[index] ?? index,
    overscan: 8,
  });
  const walk = (step: number) => {
    const at = selected === null ? -1 : ids.indexOf(selected);
    const next = Math.min(ids.length - 1, Math.max(0, at + step));
    const id = ids[next];
    if (id === undefined) return;
    virtual.scrollToIndex(next);
    onOpen(id);
  };
  useKey("j", () => walk(1));
  useKey("k", () => walk(-1));

  return (
    <div
      ref={scroll}
      role="table"
      aria-label={t("tableLabel")}
      aria-rowcount={ids.length + 1}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="focus-ring max-h-[max(20rem,calc(100dvh-17rem))] overflow-auto text-sm"
    >
      <div role="rowgroup" className="sticky top-0 z-10 min-w-max bg-panel">
        <div role="row" className="flex border-b border-line">
          {sortKeys.map((key) => (
            <div
              key={key}
              role="columnheader"
              aria-sort={key !== sort ? "none" : order === "asc" ? "ascending" : "descending"}
              className={classes("shrink-0 px-2", widths[key])}
            >
              <button
                type="button"
                onClick={() => onSort(key, key === sort && order === "asc" ? "desc" : "asc")}
                className="focus-ring flex h-9 items-center gap-1 rounded-sm text-xs font-medium text-muted hover:text-ink"
              >
                {t(`column.${key}`)}
                {key === sort &&
                  (order === "asc" ? <ArrowUp size={12} aria-hidden /> : <ArrowDown size={12} aria-hidden />)}
              </button>
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="relative min-w-max" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const id = ids[item.index];
          if (id === undefined) return null;
          return (
            <FleetRow key={id} id={id} index={item.index} top={item.start} selected={id === selected} onOpen={onOpen} />
          );
        })}
      </div>
    </div>
  );
}

function FleetRow({
  id,
  index,
  top,
  selected,
  onOpen,
}: {
  id: string;
  index: number;
  top: number;
  selected: boolean;
  onOpen: (id: string) => void;
}) {
  const node = useEntity("node", id);
  const role = useTranslations("role");
  const t = useTranslations("fleet");
  const format = useFormat();
  if (node === undefined) return null;
  const { host } = node;
  const cell = (key: SortKey, content: React.ReactNode, extra?: string) => (
    <div role="cell" className={classes("num flex shrink-0 items-center truncate px-2", widths[key], extra)}>
      {content}
    </div>
  );
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the link inside opens by keyboard
    <div
      role="row"
      aria-rowindex={index + 2}
      onClick={() => onOpen(id)}
      className={classes(
        "absolute inset-x-0 flex cursor-pointer border-b border-line hover:bg-raised",
        selected && "bg-raised",
      )}
      style={{ height: ROW_PX, transform: `translateY(${top}px)` }}
    >
      {cell("state", <StateWord state={node.state} />)}
      {cell(
        "id",
        <Link
          href={`/nodes/${encodeURIComponent(id)}`}
          onClick={(event) => event.stopPropagation()}
          className="focus-ring truncate font-medium hover:underline"
        >
          {id}
        </Link>,
      )}
      {cell("role", role(node.role), "text-muted")}
      {cell("cluster", node.cluster ?? "", "text-muted")}
      {cell("zone", node.zone, "text-muted")}
      {cell("cpu", <UsageBar used={host?.cpu ?? null} label={t("column.cpu")} />)}
      {cell(
        "memory",
        <UsageBar used={host ? host.memoryUsedBytes / host.memoryTotalBytes : null} label={t("column.memory")} />,
      )}
      {cell(
        "disk",
        <UsageBar used={host ? host.diskUsedBytes / host.diskTotalBytes : null} label={t("column.disk")} />,
      )}
      {cell(
        "suspicion",
        `${format.number(node.suspicion, 1)} / ${format.number(node.suspicionThreshold, 1)}`,
        "text-muted",
      )}
      {cell("seen", node.connected ? t("now") : <RelativeTime at={node.lastSeenAt} />, "text-muted")}
    </div>
  );
}
