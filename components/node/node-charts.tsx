"use client";
import { useTranslations } from "next-intl";
import type { NodeDetail } from "../../server/protocol/index.ts";
import type { SeriesSource } from "../charts/series-source.ts";
import { type ChartLine, TimeChart } from "../charts/time-chart.tsx";
import { serverNow } from "../live/use-now.ts";
import { Panel } from "../ui/panel.tsx";
import { useFormat } from "../ui/text.tsx";

export const NODE_RANGE_MS = 300_000;

/** What the machine does, live. */
export function NodeCharts({ node, source }: { node: NodeDetail; source: SeriesSource }) {
  const t = useTranslations("node");
  const format = useFormat();
  const { host } = node;
  const charts: readonly {
    top?: number | undefined;
    name: string;
    value: string;
    lines: readonly ChartLine[];
    format: (value: number) => string;
  }[] = [
    {
      name: t("cpu"),
      value: host === null ? "–" : `${format.percent(host.cpu)} · ${t("cores", { count: host.cores })}`,
      lines: [{ name: "cpu", color: "--color-accent", fill: true }],
      format: (value) => format.percent(value),
      top: 1,
    },
    {
      name: t("memory"),
      value: host === null ? "–" : `${format.bytes(host.memoryUsedBytes)} / ${format.bytes(host.memoryTotalBytes)}`,
      lines: [{ name: "memoryUsedBytes", color: "--color-accent", fill: true }],
      format: (value) => format.bytes(value),
      top: host?.memoryTotalBytes,
    },
    {
      name: t("network"),
      value:
        host === null
          ? "–"
          : `↓ ${format.bytes(host.networkRxBytesPerSecond)}/s · ↑ ${format.bytes(host.networkTxBytesPerSecond)}/s`,
      lines: [
        { name: "networkRxBytesPerSecond", color: "--color-accent" },
        { name: "networkTxBytesPerSecond", color: "--color-accent", dashed: true },
      ],
      format: (value) => format.bytes(value),
    },
    {
      name: t("load"),
      value: host === null ? "–" : format.number(host.load1, 2),
      lines: [{ name: "load1", color: "--color-accent" }],
      format: (value) => format.number(value, value < 10 ? 1 : 0),
    },
  ];
  return (
    <Panel title={t("machine")} aside={t("lastMinutes", { count: NODE_RANGE_MS / 60_000 })}>
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {charts.map((chart) => (
          <div key={chart.name} className="min-w-0">
            <div className="flex items-baseline justify-between gap-3 text-xs">
              <span className="text-muted">{chart.name}</span>
              <span className="num truncate font-medium">{chart.value}</span>
            </div>
            <TimeChart
              source={source}
              lines={chart.lines}
              rangeMs={NODE_RANGE_MS}
              height={110}
              label={`${chart.name}: ${chart.value}`}
              format={chart.format}
              {...(chart.top === undefined ? {} : { top: chart.top })}
              now={serverNow}
            />
          </div>
        ))}
      </div>
    </Panel>
  );
}
