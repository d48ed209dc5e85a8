"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { type ReactNode, useRef } from "react";
import type { ActionView, IncidentDetail, IncidentView, TraceGroupView } from "../../server/protocol/index.ts";
import { useIncidentDetail } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useEntity } from "../live/use-entities.ts";
import { ErrorState, Skeleton, SkeletonLines } from "../ui/feedback.tsx";
import { Fact, Facts, PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { HostileText, Mono, RelativeTime, useFormat } from "../ui/text.tsx";
import { Candidates } from "./candidates.tsx";
import { IncidentActions } from "./incident-actions.tsx";
import { incidentState, useIncidentTitle } from "./incident-title.ts";
import { Notes } from "./notes.tsx";
import { PropagationMap } from "./propagation-map.tsx";
import { RecoveryPanel } from "./recovery-panel.tsx";
import { Suspects } from "./suspects.tsx";
import { Symptoms } from "./symptoms.tsx";
import { TimelinePanel } from "./timeline-panel.tsx";
import { Waterfall } from "./waterfall.tsx";

/** One incident: the story from the first signal to the last step. */
export function IncidentScreen({ id }: { id: string }) {
  const query = useIncidentDetail(id);
  const live = useEntity("incident", id);
  const problem = useProblemText();
  if (query.isPending) {
    return (
      <div className="flex flex-col gap-4">
        <SkeletonLines lines={2} />
        <Skeleton className="h-64" />
      </div>
    );
  }
  if (query.isError) return <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />;
  return <Story detail={query.data} incident={live ?? query.data.incident} />;
}

function Story({ detail, incident }: { detail: IncidentDetail; incident: IncidentView }) {
  const t = useTranslations("incident");
  const title = useIncidentTitle();
  const note = useRef<HTMLTextAreaElement>(null);
  // Found by asking telemetry, not by the taxonomy.
  const localized = incident.cause.kind === "service-degraded";
  const recovery = [...detail.actions]
    .reverse()
    .find((action) => action.kind === "failover" || action.kind === "switchover");
  const successor =
    recovery?.phase === "done" && recovery.target !== null ? t("tookOver", { node: recovery.target }) : null;
  // Without a failover to tell of, the suspects are the story, and have the wide column.
  const suspectsLead = localized || recovery === undefined;
  return (
    <>
      <PageHeader
        crumbs={
          <>
            <Link href="/incidents" className="focus-ring hover:text-ink">
              {t("incidents")}
            </Link>{" "}
            / {incident.id}
          </>
        }
        title={
          <span className="inline-flex items-baseline gap-2.5">
            <StateGlyph state={incidentState(incident)} size={18} className="translate-y-0.5" />
            <span>
              {title(incident)}
              {successor !== null && `; ${successor}`}
            </span>
          </span>
        }
        subtitle={<Summary incident={incident} />}
        actions={<IncidentActions incident={incident} onNote={() => note.current?.focus()} />}
      />
      <div className="flex flex-col gap-4">
        <TimelinePanel incident={incident} entries={detail.timeline} />
        <div className="grid items-start gap-4 lg:grid-cols-[1.65fr_1fr]">
          <div className="flex min-w-0 flex-col gap-4">
            {recovery !== undefined && <Waterfall action={recovery} />}
            {recovery !== undefined && <Candidates action={recovery} />}
            {suspectsLead && <Suspects incident={incident} />}
            <ActionList actions={detail.actions} />
            {detail.traces.length > 0 && <Traces traces={detail.traces} />}
          </div>
          <div className="flex min-w-0 flex-col gap-4">
            {!suspectsLead && <Suspects incident={incident} />}
            <RecoveryPanel incident={incident} />
            {localized && <PropagationMap incident={incident} />}
            <Symptoms incident={incident} />
            {!localized && <ImpactPanel incident={incident} />}
            <Notes id={incident.id} notes={detail.notes} input={note} />
          </div>
        </div>
      </div>
    </>
  );
}

/** Severity, begin, impact and phase in one line. */
function Summary({ incident }: { incident: IncidentView }) {
  const t = useTranslations("incident");
  const format = useFormat();
  const { impact } = incident;
  const parts: ReactNode[] = [
    t("severity", { severity: incident.severity }),
    <span key="began">
      {t("began")} <RelativeTime at={incident.beganAt} />
    </span>,
  ];
  if (impact.writesUnavailableMs !== null)
    parts.push(t("unavailable", { time: format.duration(impact.writesUnavailableMs) }));
  if (impact.acknowledgedLost !== null) parts.push(t("lost", { lost: impact.acknowledgedLost }));
  parts.push(t(`phase.${incident.phase}`));
  if (incident.mergedInto) parts.push(t("mergedInto", { incident: incident.mergedInto }));
  if (incident.acknowledgedBy !== null) parts.push(t("acknowledgedBy", { name: incident.acknowledgedBy }));
  return parts.map((part, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence keep their order
    <span key={index}>
      {index > 0 && " · "}
      {part}
    </span>
  ));
}

function ImpactPanel({ incident }: { incident: IncidentView }) {
  const t = useTranslations("incident");
  const format = useFormat();
  const { impact } = incident;
  const redundancyMs =
    impact.redundancyReducedFrom === null
      ? null
      : (impact.redundancyReducedTo ?? Date.now()) - impact.redundancyReducedFrom;
  const nothing = [
    impact.writesUnavailableMs,
    impact.acknowledged,
    impact.acknowledgedLost,
    redundancyMs,
    incident.follows,
  ];
  if (nothing.every((each) => each === null)) {
    return (
      <Panel title={t("impact")}>
        <p className="text-muted">{t("impactNone")}</p>
      </Panel>
    );
  }
  return (
    <Panel title={t("impact")}>
      <Facts>
        <Fact name={t("impactUnavailable")}>{format.duration(impact.writesUnavailableMs)}</Fact>
        <Fact name={t("impactAcknowledged")}>{format.number(impact.acknowledged)}</Fact>
        <Fact name={t("impactLost")}>
          <strong>{format.number(impact.acknowledgedLost)}</strong>
        </Fact>
        <Fact name={t("impactRedundancy")}>{format.duration(redundancyMs)}</Fact>
        {incident.follows !== null && (
          <Fact name={t("follows")}>
            <Link href={`/incidents/${incident.follows}`} className="focus-ring text-accent underline">
              {incident.follows}
            </Link>
          </Fact>
        )}
      </Facts>
    </Panel>
  );
}

function ActionList({ actions }: { actions: readonly ActionView[] }) {
  const t = useTranslations("incident");
  const all = useTranslations();
  const format = useFormat();
  if (actions.length === 0) return null;
  return (
    <Panel title={t("actions")}>
      <ul>
        {actions.map((action) => (
          <li key={action.id} className="flex items-baseline justify-between gap-3 border-t border-line py-2">
            <span className="min-w-0">
              <span className="font-semibold">{all(`actionKind.${action.kind}`)}</span> {action.target ?? ""}
              <span className="text-muted">
                {" "}
                · {action.automatic ? t("automatic") : action.by} · {all(`actionPhase.${action.phase}`)}
              </span>
            </span>
            <span className="num shrink-0 text-muted">
              {action.endedAt !== null && format.duration(action.endedAt - action.startedAt)} <Mono>{action.id}</Mono>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Traces({ traces }: { traces: readonly TraceGroupView[] }) {
  const t = useTranslations("incident");
  const format = useFormat();
  return (
    <Panel title={t("traces")}>
      <ul>
        {traces.map((group) => (
          <li key={group.id} className="border-t border-line py-2">
            <details>
              <summary className="focus-ring flex cursor-pointer items-baseline justify-between gap-3 rounded-sm">
                <span className="min-w-0">
                  <span className="font-semibold">
                    <HostileText text={group.service} max={40} />
                  </span>{" "}
                  <HostileText text={`${group.type}: ${group.message}`} max={160} />
                </span>
                <span className="num shrink-0 text-muted">{t("times", { count: format.number(group.count) })}</span>
              </summary>
              <ol className="mt-1.5 overflow-x-auto font-mono text-xs text-muted">
                {group.frames.map((frame, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: frames of a stack keep their order
                  <li key={index}>
                    <HostileText
                      text={`${frame.function} (${frame.file}${frame.line === null ? "" : `:${frame.line}`})`}
                      max={200}
                    />
                  </li>
                ))}
              </ol>
            </details>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
