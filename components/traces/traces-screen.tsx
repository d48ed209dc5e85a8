"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useRef } from "react";
import type { TraceListItem } from "../../server/protocol/index.ts";
import { useTraceList } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useNow } from "../live/use-now.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { Badge } from "../ui/badge.tsx";
import { EmptyState, ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Input, Select } from "../ui/field.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { CopyLine, HostileText, RelativeTime, useFormat } from "../ui/text.tsx";
import { TrendBars } from "./trend-bars.tsx";

const sorts = ["last-seen", "first-seen", "count"] as const;
export const ranges = ["hour", "day", "fortnight"] as const;
const newMs = 3_600_000;
const shownAtMost = 200;

/** Everything that failed in the code of the services, one line a kind of failure. */
export function TracesScreen() {
  const t = useTranslations("traces");
  const [filter, setFilter] = useQueryStates({
    q: parseAsString.withDefault(""),
    service: parseAsString.withDefault(""),
    node: parseAsString.withDefault(""),
    sort: parseAsStringLiteral(sorts).withDefault("last-seen"),
    range: parseAsStringLiteral(ranges).withDefault("day"),
  });
  const query = useTraceList({ ...filter, limit: shownAtMost });
  const problem = useProblemText();
  const search = useRef<HTMLInputElement>(null);
  useKey("/", () => search.current?.focus());
  useWalk();
  const isFiltered = filter.q !== "" || filter.service !== "" || filter.node !== "";
  const items = query.data?.items ?? [];
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Input
          ref={search}
          type="search"
          value={filter.q}
          onChange={(event) => void setFilter({ q: event.target.value })}
          placeholder={t("search")}
          aria-label={t("search")}
          className="max-w-72"
        />
        <Select
          aria-label={t("service")}
          value={filter.service}
          onChange={(event) => void setFilter({ service: event.target.value })}
          options={[
            { value: "", label: t("allServices") },
            ...(query.data?.services ?? []).map((value) => ({ value, label: cleanText(value, 40) })),
          ]}
          className="max-w-48"
        />
        <Select
          aria-label={t("sortBy")}
          value={filter.sort}
          onChange={(event) => void setFilter({ sort: event.target.value as (typeof sorts)[number] })}
          options={sorts.map((value) => ({ value, label: t(`sort.${value}`) }))}
        />
        <Segmented
          label={t("range")}
          value={filter.range}
          onChange={(range) => void setFilter({ range })}
          options={ranges.map((value) => ({ value, label: t(`ranges.${value}`) }))}
        />
        {filter.node !== "" && (
          <button type="button" onClick={() => void setFilter({ node: "" })} className="focus-ring rounded-full">
            <Badge tone="accent">
              {t("onNode", { node: cleanText(filter.node, 40) })} <span aria-hidden>×</span>
            </Badge>
          </button>
        )}
      </div>
      <Panel bodyClassName="px-4">
        {query.isPending ? (
          <SkeletonLines lines={6} className="py-4" />
        ) : query.isError ? (
          <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
        ) : items.length > 0 ? (
          <ul>
            {items.map((group, index) => (
              <Row key={group.id} group={group} first={index === 0} />
            ))}
          </ul>
        ) : isFiltered ? (
          <EmptyState title={t("emptySearch")} text={t("emptySearchHint")} />
        ) : (
          <NoTraces />
        )}
      </Panel>
      {items.length === shownAtMost && <p className="mt-2 text-xs text-muted">{t("more", { count: shownAtMost })}</p>}
    </>
  );
}

function Row({ group, first }: { group: TraceListItem; first: boolean }) {
  const t = useTranslations("traces");
  const format = useFormat();
  const now = useNow(60_000);
  const recent = group.trend.counts.reduce((sum, count) => sum + count, 0);
  const isNew = now > 0 && now - group.firstSeenAt < newMs;
  return (
    <li
      className={`grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-5 gap-y-1 py-2.5 md:grid-cols-[minmax(0,1fr)_8.5rem_7rem_8.5rem] ${first ? "" : "border-t border-line"}`}
    >
      <div className="col-span-2 min-w-0 md:col-span-1">
        <p className="flex min-w-0 items-center gap-2">
          <Link
            href={`/traces/${encodeURIComponent(group.id)}`}
            data-trace-link
            className="focus-ring truncate font-semibold hover:underline"
          >
            <HostileText text={group.type} max={80} />
          </Link>
          {isNew && <Badge tone="amber">{t("new")}</Badge>}
          {group.merged > 0 && <Badge>{t("merged", { count: group.merged + 1 })}</Badge>}
        </p>
        <p className="truncate text-muted">
          <HostileText text={group.message} max={200} />
        </p>
        <p className="truncate text-xs text-muted">
          <HostileText text={group.service} max={40} /> ·{" "}
          {group.nodes.length <= 2
            ? group.nodes.map((node) => cleanText(node, 40)).join(", ")
            : t("nodeCount", { count: group.nodes.length })}
        </p>
      </div>
      <TrendBars trend={group.trend} className="col-span-2 w-full md:col-span-1 md:w-34" />
      <p className="num md:text-right">
        <span className="font-semibold">{format.number(recent)}</span>
        <span className="block text-xs text-muted">{t("ofAll", { count: format.number(group.count) })}</span>
      </p>
      <p className="text-right text-muted">
        <RelativeTime at={group.lastSeenAt} />
        <span className="block text-xs">
          {t("since")} <RelativeTime at={group.firstSeenAt} />
        </span>
      </p>
    </li>
  );
}

const example = JSON.stringify({
  service: "orders",
  language: "javascript",
  type: "TypeError",
  message: "Cannot read properties of undefined (reading 'id')",
  frames: [{ function: "placeOrder", file: "src/orders.js", line: 41 }],
  traceId: null,
  count: 1,
});

/** Nothing failed, or nothing reports: both are said, and how to report. */
function NoTraces() {
  const t = useTranslations("traces");
  const line = `curl -sS http://127.0.0.1:7411/v1/traces -H 'content-type: application/json' -d '${example.replaceAll("'", "'\\''")}'`;
  return (
    <EmptyState
      glyph={<StateGlyph state="healthy" size={18} />}
      title={t("empty")}
      text={t("emptyHint")}
      action={
        <div className="w-[min(46rem,80vw)] text-left">
          <CopyLine text={line} label={t("emptyCommand")} />
        </div>
      }
    />
  );
}

/** `j`/`k` walk the rows; Enter opens, as on any link. */
function useWalk(): void {
  const step = (by: number) => {
    const links = [...document.querySelectorAll<HTMLElement>("[data-trace-link]")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useKey("j", () => step(1));
  useKey("k", () => step(-1));
}
