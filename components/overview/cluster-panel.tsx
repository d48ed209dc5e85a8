"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ClusterView } from "../../server/protocol/index.ts";
import { TimeChart } from "../charts/time-chart.tsx";
import { useLiveSeries } from "../charts/use-live-series.ts";
import { useEntities } from "../live/use-entities.ts";
import { serverNow } from "../live/use-now.ts";
import { ReplicationTree } from "../topology/replication-tree.tsx";
import { Panel } from "../ui/panel.tsx";
import { useFormat } from "../ui/text.tsx";
import { outageMarks } from "./outage-marks.ts";

const RANGE_MS = 180_000;

/** One cluster: who follows whom, and what its clients get. */
export function ClusterPanel({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("overview");
  const summary = useClusterSummary(cluster);
  return (
    <Panel
      title={
        <Link
          href={`/clusters/${encodeURIComponent(cluster.id)}`}
          className="focus-ring hover:text-ink hover:underline"
        >
          {t("replicationOf", { cluster: cluster.id })}
        </Link>
      }
      aside={summary}
    >
      <div className="grid gap-x-8 gap-y-5 lg:grid-cols-[minmax(0,11fr)_minmax(0,8fr)]">
        <div className="flex items-center">
          <ReplicationTree cluster={cluster} />
        </div>
        <WorkloadCharts cluster={cluster} />
      </div>
    </Panel>
  );
}

function useClusterSummary(cluster: ClusterView): string {
  const t = useTranslations("overview");
  const format = useFormat();
  const followers = cluster.members.filter((member) => member.node !== cluster.primary && member.lagBytes !== null);
  const parts = [t("epoch", { epoch: cluster.epoch }), useDurabilityText(cluster)];
  if (followers.length > 0) {
    const bytes = Math.max(...followers.map((member) => member.lagBytes ?? 0));
    const ms = Math.max(...followers.map((member) => member.lagMs ?? 0));
    parts.push(t("lagMax", { bytes: format.bytes(bytes), ms: format.duration(ms) }));
  }
  return parts.join(" · ");
}

/** `sync ANY 1` or `async`. */
export function useDurabilityText(cluster: ClusterView): string {
  const t = useTranslations("overview");
  const format = useFormat();
  if (cluster.durability.mode === "async")
    return t("asyncUpTo", { bytes: format.bytes(cluster.durability.maxLagBytes) });
  return t("sync", { k: cluster.configuration?.k ?? cluster.durability.k });
}

export function WorkloadCharts({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("overview");
  const format = useFormat();
  const source = useLiveSeries("cluster", cluster.id, RANGE_MS);
  const incidents = useEntities("incident");
  const { workload } = cluster;
  const marks = outageMarks(cluster, incidents).map((mark) => ({
    ...mark,
    label: t(mark.lost === null ? "outageMark" : "outageMarkLost", {
      duration: format.duration(mark.toMs - mark.fromMs),
      lost: mark.lost ?? 0,
    }),
  }));
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <ChartHead
        name={t("writes")}
        value={workload === null ? "–" : `${format.number(workload.writesPerSecond)}/s`}
        color="bg-accent"
      />
      <TimeChart
        source={source}
        lines={[{ name: "writesPerSecond", color: "--color-accent", fill: true }]}
        rangeMs={RANGE_MS}
        height={146}
        marks={marks}
        label={t("writesLabel", { cluster: cluster.id, rate: format.number(workload?.writesPerSecond) })}
        format={(value) => format.number(value)}
        now={serverNow}
      />
      <ChartHead
        name={t("latency")}
        value={
          workload === null
            ? "–"
            : `${format.duration(workload.latencyMeanMs)} · p95 ${format.duration(workload.latencyP95Ms)}`
        }
        color="bg-maintenance"
      />
      <TimeChart
        source={source}
        lines={[
          { name: "latencyMeanMs", color: "--color-maintenance" },
          { name: "latencyP95Ms", color: "--color-maintenance", dashed: true },
        ]}
        rangeMs={RANGE_MS}
        height={104}
        label={t("latencyLabel", { cluster: cluster.id, latency: format.duration(workload?.latencyP95Ms) })}
        format={(value) => `${format.number(value, value < 10 && value > 0 ? 1 : 0)} ms`}
        now={serverNow}
      />
    </div>
  );
}

function ChartHead({ name, value, color }: { name: string; value: string; color: string }) {
  return (
    <div className="-mb-3 flex items-baseline justify-between text-xs">
      <span className="inline-flex items-center gap-1.5 text-muted">
        <span aria-hidden className={`inline-block h-0.5 w-3 ${color}`} />
        {name}
      </span>
      <span className="num font-medium">{value}</span>
    </div>
  );
}
