"use client";
import { Crosshair } from "lucide-react";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useEffect, useMemo } from "react";
import type { ServiceDetail, TopologyEdge } from "../../server/protocol/index.ts";
import { createSeriesSource } from "../charts/series-source.ts";
import { TimeChart } from "../charts/time-chart.tsx";
import { useServiceDetail, useServiceSeries, useTraceList } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { cleanText } from "../format/hostile-text.ts";
import { incidentState, useIncidentTitle } from "../incident/incident-title.ts";
import { useEntities } from "../live/use-entities.ts";
import { serverNow } from "../live/use-now.ts";
import { Button } from "../ui/button.tsx";
import { Sheet } from "../ui/dialog.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Fact, Facts } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { HostileText, Mono, RelativeTime, useFormat } from "../ui/text.tsx";
import { DependencyEditor } from "./dependency-editor.tsx";
import { type MapModel, originOf } from "./map-model.ts";

const rangeMs = 600_000;
const tracesShown = 5;

/** One service: what it does, whom it stands upon, and what is wrong with it. */
export function ServiceSheet({
  name,
  model,
  onSelect,
  onFocus,
  onClose,
}: {
  name: string;
  model: MapModel;
  onSelect: (name: string) => void;
  onFocus: () => void;
  onClose: () => void;
}) {
  const t = useTranslations("map");
  const query = useServiceDetail(name);
  const problem = useProblemText();
  return (
    <Sheet
      open
      onClose={onClose}
      title={cleanText(name, 80)}
      width="36rem"
      footer={
        <Button icon={<Crosshair size={15} aria-hidden />} onClick={onFocus}>
          {t("focusHere")}
        </Button>
      }
    >
      {query.isPending ? (
        <SkeletonLines lines={8} />
      ) : query.data === undefined ? (
        <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
      ) : (
        <div className="flex flex-col gap-6">
          <Figures detail={query.data} />
          <Charts name={name} metrics={query.data.metrics} />
          <Calls title={t("callees")} edges={query.data.calls} end="to" onSelect={onSelect} model={model} />
          <Calls title={t("callers")} edges={query.data.callers} end="from" onSelect={onSelect} model={model} />
          <DependencyEditor name={name} model={model} />
          <Incidents name={name} />
          <Traces name={name} />
        </div>
      )}
    </Sheet>
  );
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-1.5 text-xs font-semibold text-muted">{title}</h3>
      {children}
    </section>
  );
}

function Figures({ detail }: { detail: ServiceDetail }) {
  const t = useTranslations("map");
  return (
    <Facts>
      <Fact name={t("kindOf")}>
        {t(`kind.${detail.kind}`)} · {detail.observed ? t("observed") : t(originOf(detail))}
      </Fact>
      <Fact name={t("version")}>
        {detail.version === null ? "–" : <Mono>{cleanText(detail.version, 60)}</Mono>}
        {detail.versionSince !== null && (
          <span className="text-muted">
            {" "}
            {t("since")} <RelativeTime at={detail.versionSince} />
          </span>
        )}
      </Fact>
      <Fact name={t("nodes")}>
        {detail.nodes.length === 0
          ? "–"
          : detail.nodes.map((node) => (
              <Link key={node} href={`/nodes/${encodeURIComponent(node)}`} className="focus-ring mr-2 hover:underline">
                {cleanText(node, 40)}
              </Link>
            ))}
      </Fact>
      <Fact name={t("column.seen")}>
        <RelativeTime at={detail.lastSeenAt} />
      </Fact>
    </Facts>
  );
}

const charts = [
  { metric: "requests", unit: "number" },
  { metric: "errorPercent", unit: "percent" },
  { metric: "latencyP95Ms", unit: "ms" },
  { metric: "cpuPercent", unit: "percent" },
  { metric: "memoryBytes", unit: "bytes" },
] as const;

function Charts({ name, metrics }: { name: string; metrics: readonly string[] }) {
  const t = useTranslations("map");
  const format = useFormat();
  const history = useServiceSeries(name, rangeMs).data;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another service is another window
  const source = useMemo(() => createSeriesSource(rangeMs), [name]);
  useEffect(() => {
    if (history !== undefined) source.load(history);
  }, [history, source]);
  const say = {
    number: (value: number) => format.number(value, value < 10 ? 1 : 0),
    percent: (value: number) => `${format.number(value, value < 10 ? 1 : 0)} %`,
    ms: (value: number) => format.duration(value),
    bytes: (value: number) => format.bytes(value),
  };
  const shown = charts.filter(({ metric }) => metrics.includes(metric));
  if (shown.length === 0) return <p className="text-muted">{t("noFigures")}</p>;
  return (
    <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2">
      {shown.map(({ metric, unit }) => (
        <figure key={metric} className="min-w-0">
          <figcaption className="text-xs text-muted">{t(`metric.${metric}`)}</figcaption>
          <TimeChart
            source={source}
            lines={[{ name: metric, color: "--color-accent", fill: unit !== "ms" }]}
            rangeMs={rangeMs}
            height={96}
            label={t(`metric.${metric}`)}
            format={say[unit]}
            now={serverNow}
          />
        </figure>
      ))}
    </div>
  );
}

function Calls({
  title,
  edges,
  end,
  model,
  onSelect,
}: {
  title: string;
  edges: readonly TopologyEdge[];
  end: "from" | "to";
  model: MapModel;
  onSelect: (name: string) => void;
}) {
  const t = useTranslations("map");
  const format = useFormat();
  return (
    <Section title={title}>
      {edges.length === 0 ? (
        <p className="text-muted">{t("noCalls")}</p>
      ) : (
        <ul>
          {edges.map((edge) => {
            const other = edge[end].slice("service:".length);
            const { traffic } = edge;
            return (
              <li key={edge[end]} className="flex items-center justify-between gap-3 border-t border-line py-1.5">
                <button
                  type="button"
                  onClick={() => onSelect(other)}
                  className="focus-ring inline-flex min-w-0 items-center gap-2 font-medium hover:underline"
                >
                  <StateGlyph state={model.services.get(edge[end])?.state ?? "unknown"} size={12} />
                  <span className="truncate">{cleanText(other, 60)}</span>
                </button>
                <span className="num shrink-0 text-xs text-muted">
                  {edge.observed
                    ? t("edge", {
                        rate: traffic.perSecond === null ? "–" : format.number(traffic.perSecond, 1),
                        errors: format.percent(traffic.errorShare, true),
                        latency: format.duration(traffic.latencyMeanMs),
                      })
                    : t(originOf(edge))}
                  {!edge.observed && edge.connected && (
                    <>
                      {" · "}
                      <RelativeTime at={edge.lastSeenAt} />
                    </>
                  )}
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {edges.some((edge) => edge.connected) && <p className="mt-1.5 text-xs text-muted">{t("connectedWhy")}</p>}
    </Section>
  );
}

function Incidents({ name }: { name: string }) {
  const t = useTranslations("map");
  const title = useIncidentTitle();
  const incidents = useEntities("incident").filter((incident) =>
    [incident.cause, ...incident.symptoms, ...incident.suspects].some(
      ({ subject }) => subject.kind === "service" && subject.id === name,
    ),
  );
  return (
    <Section title={t("incidents")}>
      {incidents.length === 0 ? (
        <p className="text-muted">{t("noIncidents")}</p>
      ) : (
        <ul>
          {incidents.map((incident) => (
            <li key={incident.id} className="flex items-center gap-2 border-t border-line py-1.5">
              <StateGlyph state={incidentState(incident)} size={12} />
              <Link href={`/incidents/${incident.id}`} className="focus-ring font-medium hover:underline">
                {title(incident)}
              </Link>
              <RelativeTime at={incident.beganAt} className="ml-auto text-xs text-muted" />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Traces({ name }: { name: string }) {
  const t = useTranslations("map");
  const format = useFormat();
  const { data } = useTraceList({ service: name, limit: tracesShown });
  const items = data?.items ?? [];
  return (
    <Section title={t("traces")}>
      {items.length === 0 ? (
        <p className="text-muted">{t("noTraces")}</p>
      ) : (
        <ul>
          {items.map((group) => (
            <li key={group.id} className="flex items-baseline gap-3 border-t border-line py-1.5">
              <Link href={`/traces/${group.id}`} className="focus-ring min-w-0 truncate font-medium hover:underline">
                <HostileText text={`${group.type}: ${group.message}`} max={120} />
              </Link>
              <span className="num ml-auto shrink-0 text-xs text-muted">{format.number(group.count)} ×</span>
            </li>
          ))}
        </ul>
      )}
      <Link href={`/traces?service=${encodeURIComponent(name)}`} className="focus-ring text-xs underline">
        {t("allTraces")}
      </Link>
    </Section>
  );
}
