"use client";
import { Minus, Plus } from "lucide-react";
import { useTranslations } from "next-intl";
import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useMemo, useRef, useState } from "react";
import type { IncidentView, TopologyView } from "../../server/protocol/index.ts";
import { useTopology } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useEntities } from "../live/use-entities.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { Badge } from "../ui/badge.tsx";
import { IconButton } from "../ui/button.tsx";
import { EmptyState, ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Input } from "../ui/field.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { CopyLine } from "../ui/text.tsx";
import { isProblem, type MapView, readMap, selectShown } from "./map-model.ts";
import { ServiceMap } from "./service-map.tsx";
import { ServiceSheet } from "./service-sheet.tsx";
import { ServiceTable } from "./service-table.tsx";

const scales: readonly number[] = [0.5, 0.7, 0.85, 1, 1.25];
/** Wider than a phone: room for columns. */
const roomForMap = "(min-width: 52rem)";

/** Who calls whom, and where it goes wrong. */
export function MapScreen() {
  const t = useTranslations("map");
  const query = useTopology();
  const incidents = useEntities("incident");
  const problem = useProblemText();
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      {query.isPending ? (
        <SkeletonLines lines={8} />
      ) : query.data === undefined ? (
        <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
      ) : (
        <MapBody topology={query.data} incidents={incidents} />
      )}
    </>
  );
}

export function MapBody({ topology, incidents }: { topology: TopologyView; incidents: readonly IncidentView[] }) {
  const t = useTranslations("map");
  const model = useMemo(() => readMap(topology, incidents), [topology, incidents]);
  const [state, setState] = useQueryStates({
    show: parseAsStringLiteral(["all", "problems", "focus"]),
    as: parseAsStringLiteral(["map", "table"]),
    service: parseAsString,
    q: parseAsString.withDefault(""),
  });
  const [scale, setScale] = useState(1);
  const search = useRef<HTMLInputElement>(null);
  const wrong = [...model.services.values()].filter(isProblem).length;
  const view: MapView = state.show ?? (wrong > 0 ? "problems" : "all");
  const as = state.as ?? (typeof window !== "undefined" && window.matchMedia(roomForMap).matches ? "map" : "table");
  const selected = state.service === null ? null : `service:${state.service}`;
  const shown = selectShown(model, view, selected);
  const needle = state.q.trim().toLowerCase();
  const matches =
    needle === ""
      ? null
      : new Set([...shown].filter((id) => id.slice("service:".length).toLowerCase().includes(needle)));
  const select = (id: string) => void setState({ service: id.slice("service:".length) });
  const zoom = (by: 1 | -1) => {
    const at = scales.indexOf(scale);
    setScale(scales[Math.min(scales.length - 1, Math.max(0, at + by))] ?? 1);
  };
  useKey("/", () => search.current?.focus());
  useKey("t", () => void setState({ as: as === "map" ? "table" : "map" }));
  useKey("+", () => zoom(1));
  useKey("-", () => zoom(-1));
  useWalk();
  if (model.services.size === 0) return <NoServices />;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Input
          ref={search}
          type="search"
          value={state.q}
          onChange={(event) => void setState({ q: event.target.value || null })}
          placeholder={t("search")}
          aria-label={t("search")}
          className="max-w-56"
        />
        <Segmented
          label={t("show")}
          value={view}
          onChange={(show) => void setState({ show })}
          options={[
            { value: "all", label: t("all", { count: model.services.size }) },
            { value: "problems", label: t("problems", { count: wrong }) },
            ...(state.service === null
              ? []
              : [{ value: "focus" as const, label: t("focus", { name: cleanText(state.service, 24) }) }]),
          ]}
        />
        <Segmented
          label={t("as")}
          value={as}
          onChange={(value) => void setState({ as: value })}
          options={[
            { value: "map", label: t("asMap") },
            { value: "table", label: t("asTable") },
          ]}
        />
        {as === "map" && (
          <span className="inline-flex">
            <IconButton label={t("zoomOut")} onClick={() => zoom(-1)}>
              <Minus size={15} aria-hidden />
            </IconButton>
            <IconButton label={t("zoomIn")} onClick={() => zoom(1)}>
              <Plus size={15} aria-hidden />
            </IconButton>
          </span>
        )}
        {matches !== null && <Badge>{t("found", { count: matches.size })}</Badge>}
      </div>
      <Panel bodyClassName={as === "map" ? "p-2" : "px-4 py-1"}>
        {shown.size === 0 ? (
          <EmptyState title={t("noProblems")} text={t("noProblemsHint")} />
        ) : as === "map" ? (
          <ServiceMap
            model={model}
            shown={shown}
            matches={matches}
            selected={selected}
            scale={scale}
            onSelect={select}
          />
        ) : (
          <ServiceTable model={model} shown={matches ?? shown} onSelect={select} />
        )}
      </Panel>
      <p className="mt-2 text-xs text-muted">{t("legend")}</p>
      {state.service !== null && (
        <ServiceSheet
          key={state.service}
          name={state.service}
          model={model}
          onSelect={(name) => void setState({ service: name })}
          onFocus={() => void setState({ show: "focus" })}
          onClose={() => void setState({ service: null, show: view === "focus" ? null : state.show })}
        />
      )}
    </>
  );
}

function NoServices() {
  const t = useTranslations("map");
  return (
    <Panel>
      <EmptyState
        title={t("empty")}
        text={t("emptyHint")}
        action={
          <div className="w-[min(40rem,80vw)] text-left">
            <CopyLine text="OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318" label={t("emptyCommand")} />
          </div>
        }
      />
    </Panel>
  );
}

/** `j`/`k` walk the services; Enter opens, as on any button. */
function useWalk(): void {
  const step = (by: number) => {
    const buttons = [...document.querySelectorAll<HTMLElement>("main [data-service]")];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    buttons[Math.min(buttons.length - 1, Math.max(0, at + by))]?.focus();
  };
  useKey("j", () => step(1));
  useKey("k", () => step(-1));
}
