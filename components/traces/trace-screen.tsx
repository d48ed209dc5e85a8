"use client";
import { GitMerge } from "lucide-react";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useState } from "react";
import type { TraceGroupDetail } from "../../server/protocol/index.ts";
import { useTraceGroup } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { incidentState, useIncidentTitle } from "../incident/incident-title.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Fact, Facts, PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { HostileText, Mono, RelativeTime, useFormat } from "../ui/text.tsx";
import { MergeDialog, PartsPanel } from "./trace-parts.tsx";
import { TraceStack } from "./trace-stack.tsx";
import { ranges } from "./traces-screen.tsx";
import { TrendChart } from "./trend-bars.tsx";

/** One kind of failure: where in the code, how often, on which nodes, and in which incidents. */
export function TraceScreen({ id }: { id: string }) {
  const t = useTranslations("traces");
  const query = useTraceGroup(id);
  const problem = useProblemText();
  if (query.isPending) return <SkeletonLines lines={8} />;
  if (query.isError && query.data === undefined)
    return <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />;
  return <Loaded detail={query.data} title={t("title")} />;
}

function Loaded({ detail, title }: { detail: TraceGroupDetail; title: string }) {
  const t = useTranslations("traces");
  const refusal = useActionRefusal("operator");
  const [merging, setMerging] = useState(false);
  const { group } = detail;
  return (
    <>
      <PageHeader
        crumbs={
          <Link href="/traces" className="focus-ring hover:underline">
            {title}
          </Link>
        }
        title={
          <span className="break-words">
            <HostileText text={group.type} max={120} />
          </span>
        }
        subtitle={
          <span className="break-words">
            <HostileText text={group.message} max={400} />
          </span>
        }
        actions={
          <Button icon={<GitMerge size={15} aria-hidden />} refusal={refusal} onClick={() => setMerging(true)}>
            {t("merge")}
          </Button>
        }
      />
      <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="flex min-w-0 flex-col gap-4">
          <TrendPanel detail={detail} />
          <Panel title={t("frames")} aside={t("innermostFirst")}>
            <TraceStack frames={group.frames} />
          </Panel>
          <ExamplesPanel detail={detail} />
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <FactsPanel detail={detail} />
          <PartsPanel detail={detail} />
          <IncidentsPanel detail={detail} />
        </div>
      </div>
      <MergeDialog group={group} open={merging} onClose={() => setMerging(false)} />
    </>
  );
}

function TrendPanel({ detail }: { detail: TraceGroupDetail }) {
  const t = useTranslations("traces");
  const [range, setRange] = useQueryState("range", parseAsStringLiteral(ranges).withDefault("day"));
  return (
    <Panel
      title={t("trend")}
      aside={
        <Segmented
          label={t("range")}
          value={range}
          onChange={(value) => void setRange(value)}
          options={ranges.map((value) => ({ value, label: t(`ranges.${value}`) }))}
        />
      }
    >
      <TrendChart trend={detail.trends[range]} />
    </Panel>
  );
}

function FactsPanel({ detail }: { detail: TraceGroupDetail }) {
  const t = useTranslations("traces");
  const say = useCodeText();
  const format = useFormat();
  const { group } = detail;
  return (
    <Panel title={t("group")}>
      <Facts>
        <Fact name={t("service")}>
          <HostileText text={group.service} max={60} />
        </Fact>
        <Fact name={t("language")}>{t(`languages.${group.language}`)}</Fact>
        <Fact name={t("count")}>{format.number(group.count)}</Fact>
        <Fact name={t("firstSeen")}>
          <RelativeTime at={group.firstSeenAt} />
        </Fact>
        <Fact name={t("lastSeen")}>
          <RelativeTime at={group.lastSeenAt} />
        </Fact>
        <Fact name={t("nodes")}>
          <span className="flex flex-wrap gap-x-2">
            {group.nodes.slice(0, 40).map((node) => (
              <Link key={node} href={`/nodes/${encodeURIComponent(node)}`} className="focus-ring hover:underline">
                {cleanText(node, 40)}
              </Link>
            ))}
            {group.nodes.length > 40 && <span className="text-muted">+{group.nodes.length - 40}</span>}
          </span>
        </Fact>
        <Fact name={t("why")}>
          <ul>
            {group.why.map((code) => (
              <li key={code}>{say("grouping", code)}</li>
            ))}
            {group.merged > 0 && <li>{say("grouping", "merged-by-hand", { count: group.merged })}</li>}
          </ul>
        </Fact>
      </Facts>
    </Panel>
  );
}

function ExamplesPanel({ detail }: { detail: TraceGroupDetail }) {
  const t = useTranslations("traces");
  return (
    <Panel title={t("examples")} aside={t("examplesHint")}>
      <ul>
        {detail.examples.slice(0, 50).map((example) => (
          <li key={`${example.part}/${example.node}`} className="border-t border-line first:border-t-0">
            <details>
              <summary className="focus-ring flex cursor-pointer flex-wrap items-baseline gap-x-3 py-2">
                <span className="font-medium">{cleanText(example.node, 40)}</span>
                <span className="min-w-0 flex-1 basis-60 break-words text-muted">
                  <HostileText text={example.trace.message} max={200} />
                </span>
                <span className="text-muted">
                  <RelativeTime at={example.at} />
                </span>
              </summary>
              <div className="flex flex-col gap-2 pb-3">
                {example.trace.traceId !== null && (
                  <p className="text-muted">
                    {t("traceId")} <Mono className="break-all">{cleanText(example.trace.traceId, 64)}</Mono>
                  </p>
                )}
                <TraceStack frames={example.trace.frames} />
              </div>
            </details>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function IncidentsPanel({ detail }: { detail: TraceGroupDetail }) {
  const t = useTranslations("traces");
  const words = useTranslations("incident");
  const title = useIncidentTitle();
  return (
    <Panel title={t("incidents")}>
      {detail.incidents.length === 0 ? (
        <p className="text-muted">{t("noIncidents")}</p>
      ) : (
        <ul>
          {detail.incidents.map((incident) => (
            <li key={incident.id} className="flex items-center gap-2.5 border-t border-line py-2 first:border-t-0">
              <StateGlyph state={incidentState(incident)} size={12} />
              <div className="min-w-0">
                <Link href={`/incidents/${incident.id}`} className="focus-ring font-medium hover:underline">
                  {title(incident)}
                </Link>
                <p className="text-xs text-muted">
                  <Mono>{incident.id}</Mono> · {words(`phase.${incident.phase}`)} ·{" "}
                  <RelativeTime at={incident.beganAt} />
                </p>
              </div>
              {incident.resolvedAt === null && <Badge tone="danger">{t("openNow")}</Badge>}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
