"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ClusterView } from "../../server/protocol/index.ts";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";
import { useDurabilityText } from "./cluster-panel.tsx";

/** The clusters that are not drawn above, one line each. */
export function OtherClusters({ clusters }: { clusters: readonly ClusterView[] }) {
  const t = useTranslations("overview");
  const unwell = clusters.filter((cluster) => cluster.state !== "healthy").length;
  return (
    <Panel title={t("others")} aside={t("othersCount", { count: clusters.length, unwell })}>
      <ul className="grid gap-x-8 gap-y-1 sm:grid-cols-2 lg:grid-cols-3 xl:grid-cols-4">
        {clusters.map((cluster) => (
          <ClusterLine key={cluster.id} cluster={cluster} />
        ))}
      </ul>
    </Panel>
  );
}

function ClusterLine({ cluster }: { cluster: ClusterView }) {
  const format = useFormat();
  const durability = useDurabilityText(cluster);
  const lags = cluster.members.flatMap((member) => (member.lagMs === null ? [] : [member.lagMs]));
  const parts = [String(cluster.members.length), durability];
  if (lags.length > 0) parts.push(format.duration(Math.max(...lags)));
  return (
    <li>
      <Link
        href={`/clusters/${encodeURIComponent(cluster.id)}`}
        className="focus-ring flex items-center gap-2.5 rounded-md py-1 hover:underline"
      >
        <span className="inline-flex w-4 justify-center">
          <StateGlyph state={cluster.state} />
        </span>
        <span className="font-semibold">{cluster.id}</span>
        <span className="num truncate text-muted">{parts.join(" · ")}</span>
      </Link>
    </li>
  );
}
