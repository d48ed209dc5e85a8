"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { NodeDetail } from "../../server/protocol/index.ts";
import { TimeChart } from "../charts/time-chart.tsx";
import { useLiveSeries } from "../charts/use-live-series.ts";
import { useNodeDetail } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useReasonText } from "../i18n/code-text.ts";
import { serverNow } from "../live/use-now.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Fact, Facts, PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Elapsed, Mono, RelativeTime, useFormat } from "../ui/text.tsx";
import { HeartbeatStrip } from "./heartbeat-strip.tsx";
import { MaintenanceDialog, useEndMaintenance } from "./maintenance-dialog.tsx";
import { NODE_RANGE_MS, NodeCharts } from "./node-charts.tsx";
import { ChecksPanel, PostgresPanel, SightsPanel, TracesPanel, WorkloadsPanel } from "./node-tables.tsx";
import { PriceCurve } from "./price-curve.tsx";
import { RefusedPanel } from "./refused-panel.tsx";

/** One node: what it is judged to be and why, its rhythm, its figures, and who sees it. */
export function NodeScreen({ id }: { id: string }) {
  const { data, error, refetch } = useNodeDetail(id);
  const say = useProblemText();
  if (data === undefined && error !== null) {
    const { title, text, reference } = say(error);
    return <ErrorState title={title} text={text} reference={reference} onRetry={() => void refetch()} />;
  }
  if (data === undefined) return <SkeletonLines lines={8} className="max-w-2xl" />;
  return <NodeBody node={data} />;
}

function NodeBody({ node }: { node: NodeDetail }) {
  const t = useTranslations("node");
  const source = useLiveSeries("node", node.id, NODE_RANGE_MS);
  return (
    <>
      <NodeHeader node={node} />
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,19fr)_minmax(0,11fr)]">
        <div className="flex min-w-0 flex-col gap-4">
          <Panel
            title={t("heartbeats")}
            aside={node.connected ? t("connected") : <RelativeTime at={node.lastSeenAt} />}
          >
            <HeartbeatStrip beats={node.beats} intervalMs={node.heartbeatMs} thresholdMs={node.detectorThresholdMs} />
          </Panel>
          <NodeCharts node={node} source={source} />
          <SightsPanel node={node} />
          <ChecksPanel node={node} />
          <WorkloadsPanel node={node} />
          <TracesPanel node={node.id} />
          <RefusedPanel refused={node.refused} />
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <StatePanel node={node} />
          <SuspicionPanel node={node} source={source} />
          <PostgresPanel node={node} />
        </div>
      </div>
    </>
  );
}

function NodeHeader({ node }: { node: NodeDetail }) {
  const t = useTranslations("node");
  const state = useTranslations("state");
  const role = useTranslations("role");
  const refusal = useActionRefusal("operator");
  const [asking, setAsking] = useState(false);
  const end = useEndMaintenance("nodes", node.id);
  const place = node.cluster === null ? role(node.role) : t("roleIn", { role: role(node.role), cluster: node.cluster });
  return (
    <>
      <PageHeader
        crumbs={
          <>
            <Link href="/fleet" className="focus-ring hover:text-ink hover:underline">
              {t("fleet")}
            </Link>{" "}
            / {node.zone}
          </>
        }
        title={
          <span className="inline-flex flex-wrap items-center gap-x-3">
            <StateGlyph state={node.state} size={20} withWord />
            {node.id} · {state(node.state)}
          </span>
        }
        subtitle={
          <>
            {place} · {t("stateFor")} <Elapsed since={node.stateSince} />
          </>
        }
        actions={
          <>
            {node.cluster !== null && (
              <Link
                href={`/clusters/${encodeURIComponent(node.cluster)}`}
                className="focus-ring rounded-sm px-2 text-muted hover:text-ink hover:underline"
              >
                {t("openCluster", { cluster: node.cluster })}
              </Link>
            )}
            {node.maintenance === null ? (
              <Button refusal={refusal} onClick={() => setAsking(true)}>
                {t("maintenanceBegin")}
              </Button>
            ) : (
              <Button refusal={refusal} busy={end.isPending} onClick={() => end.mutate()}>
                {t("maintenanceEnd")}
              </Button>
            )}
          </>
        }
      />
      <MaintenanceDialog open={asking} onClose={() => setAsking(false)} kind="nodes" id={node.id} />
    </>
  );
}

function StatePanel({ node }: { node: NodeDetail }) {
  const t = useTranslations("node");
  const reason = useReasonText();
  const format = useFormat();
  return (
    <Panel title={t("why")}>
      {node.reasons.length === 0 ? (
        <p className="mb-4">{t("whyHealthy")}</p>
      ) : (
        <ul className="mb-4 flex flex-col gap-1.5">
          {node.reasons.map((each) => (
            <li key={each.code} className="font-medium">
              {reason(each)}
            </li>
          ))}
        </ul>
      )}
      {node.maintenance !== null && (
        <p className="mb-4 text-muted">
          {t("maintenanceBy", {
            by: cleanText(node.maintenance.by, 60),
            reason: cleanText(node.maintenance.reason, 200),
          })}
        </p>
      )}
      <Facts>
        <Fact name={t("agent")}>{node.agentVersion ?? "–"}</Fact>
        <Fact name={t("address")}>
          <Mono>{cleanText(node.address ?? "–", 60)}</Mono>
        </Fact>
        <Fact name={t("clock")}>
          {node.clockOffsetMs === null
            ? "–"
            : t(node.clockOffsetMs >= 0 ? "clockAhead" : "clockBehind", {
                offset: format.duration(Math.abs(node.clockOffsetMs)),
              })}
        </Fact>
        <Fact name={t("agentLag")}>{format.duration(node.agentLoopLagMs)}</Fact>
        <Fact name={t("enrolled")}>
          <RelativeTime at={node.enrolledAt} />
        </Fact>
        <Fact name={t("key")}>
          <Mono>{cleanText(node.publicKey, 20)}</Mono>
        </Fact>
        {Object.entries(node.labels).map(([name, value]) => (
          <Fact key={name} name={cleanText(name, 40)}>
            {cleanText(value, 80)}
          </Fact>
        ))}
      </Facts>
    </Panel>
  );
}

function SuspicionPanel({ node, source }: { node: NodeDetail; source: ReturnType<typeof useLiveSeries> }) {
  const t = useTranslations("node");
  const format = useFormat();
  return (
    <Panel
      title={t("suspicion")}
      aside={`${format.number(node.suspicion, 1)} / ${format.number(node.suspicionThreshold, 1)}`}
    >
      <TimeChart
        source={source}
        lines={[{ name: "suspicion", color: "--color-suspect", fill: true }]}
        rangeMs={NODE_RANGE_MS}
        height={110}
        threshold={{
          value: node.suspicionThreshold,
          label: t("suspectFrom", { level: format.number(node.suspicionThreshold, 1) }),
        }}
        label={t("suspicionLabel", {
          level: format.number(node.suspicion, 1),
          threshold: format.number(node.suspicionThreshold, 1),
        })}
        format={(value) => format.number(value, value < 10 ? 1 : 0)}
        now={serverNow}
      />
      <h3 className="mt-4 mb-1 text-xs font-semibold text-muted">{t("price")}</h3>
      <PriceCurve curve={node.detectorCurve} thresholdMs={node.detectorThresholdMs} />
    </Panel>
  );
}
