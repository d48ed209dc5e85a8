"use client";
import { Search } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useMemo, useRef } from "react";
import type { HealthState } from "../../server/protocol/index.ts";
import { useEntities } from "../live/use-entities.ts";
import { useScope } from "../shell/scope.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { EmptyState, SkeletonLines } from "../ui/feedback.tsx";
import { Input, Select } from "../ui/field.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { stateUrgency } from "../ui/state-urgency.ts";
import { Segmented } from "../ui/tabs.tsx";
import { filterNodes, useFleetParams } from "./fleet-filter.ts";
import { type GroupBy, groupings } from "./fleet-layout.ts";
import { countStates } from "./fleet-legend.tsx";
import { FleetMap } from "./fleet-map.tsx";
import { NodeInspector } from "./node-inspector.tsx";

const FleetTable = dynamic(() => import("./fleet-table.tsx").then((module) => module.FleetTable), {
  ssr: false,
  loading: () => <SkeletonLines lines={8} className="p-4" />,
});

/** All nodes: map ⇄ table (`t`), grouped, filtered, searched (`/`) and sorted, all of it in the address. */
export function FleetScreen() {
  const t = useTranslations("fleet");
  const router = useRouter();
  const all = useEntities("node");
  const [scope] = useScope();
  const [params, setParams] = useFleetParams();
  const search = useRef<HTMLInputElement>(null);
  const { q, states, view, group } = params;
  const scoped = useMemo(() => filterNodes(all, { q, states: [], scope }), [all, q, scope]);
  const nodes = useMemo(() => filterNodes(scoped, { q: "", states, scope: null }), [scoped, states]);
  const open = (id: string | null) => void setParams({ node: id });
  useKey("t", () => void setParams({ view: view === "map" ? "table" : "map" }));
  useKey("/", () => search.current?.focus());

  return (
    <>
      <PageHeader
        title={t("title")}
        subtitle={t("subtitle", { shown: nodes.length, count: all.length })}
        actions={
          <Segmented
            label={t("view")}
            value={view}
            onChange={(next) => void setParams({ view: next })}
            options={[
              { value: "map", label: t("map") },
              { value: "table", label: t("table") },
            ]}
          />
        }
      />
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <div className="relative w-full sm:w-64">
          <Search size={14} aria-hidden className="absolute top-2.25 left-2.5 text-muted" />
          <Input
            ref={search}
            type="search"
            aria-label={t("search")}
            placeholder={t("searchHint")}
            value={q}
            onChange={(event) => void setParams({ q: event.target.value || null })}
            className="w-full pl-8"
          />
        </div>
        {view === "map" && (
          <Select
            aria-label={t("groupBy")}
            className="w-auto"
            value={group}
            onChange={(event) => void setParams({ group: event.target.value as GroupBy })}
            options={groupings.map((each) => ({ value: each, label: t(`group.${each}`) }))}
          />
        )}
        <StateFilter
          counts={countStates(scoped)}
          chosen={states}
          onChange={(next) => void setParams({ states: next.length === 0 ? null : [...next] })}
        />
      </div>
      <Panel bodyClassName={view === "map" ? "p-4" : "px-2 pb-1"}>
        {nodes.length === 0 ? (
          <EmptyState
            title={all.length === 0 ? t("emptyTitle") : t("noMatchTitle")}
            text={all.length === 0 ? t("emptyText") : t("noMatchText")}
            action={
              all.length === 0 ? (
                <Button variant="primary" onClick={() => router.push("/nodes/add")}>
                  {t("add")}
                </Button>
              ) : (
                <Button onClick={() => void setParams({ q: null, states: null })}>{t("clear")}</Button>
              )
            }
          />
        ) : view === "map" ? (
          <FleetMap
            nodes={nodes}
            groupBy={group}
            maxHeight={640}
            selected={params.node}
            onOpen={open}
            label={t("mapLabel", { count: nodes.length })}
          />
        ) : (
          <FleetTable
            nodes={nodes}
            sort={params.sort}
            order={params.order}
            onSort={(sort, order) => void setParams({ sort, order })}
            onOpen={open}
            selected={params.node}
          />
        )}
      </Panel>
      <NodeInspector id={params.node} onClose={() => open(null)} />
    </>
  );
}

function StateFilter({
  counts,
  chosen,
  onChange,
}: {
  counts: Record<HealthState, number>;
  chosen: readonly HealthState[];
  onChange: (states: readonly HealthState[]) => void;
}) {
  const t = useTranslations("fleet");
  const state = useTranslations("state");
  const shown = [...stateUrgency].reverse().filter((each) => counts[each] > 0 || chosen.includes(each));
  return (
    <fieldset className="flex flex-wrap gap-1.5">
      <legend className="sr-only">{t("filterState")}</legend>
      {shown.map((each) => {
        const on = chosen.includes(each);
        return (
          <button
            key={each}
            type="button"
            aria-pressed={on}
            onClick={() => onChange(on ? chosen.filter((other) => other !== each) : [...chosen, each])}
            className={classes(
              "focus-ring num inline-flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-xs",
              on ? "border-accent bg-accent-wash" : "border-line text-muted hover:text-ink",
            )}
          >
            <StateGlyph state={each} size={11} withWord />
            {state(each)} {counts[each].toLocaleString("en")}
          </button>
        );
      })}
    </fieldset>
  );
}
