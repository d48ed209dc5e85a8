"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ClusterView } from "../../server/protocol/index.ts";
import { useReasonText } from "../i18n/code-text.ts";
import { useEntities, useFreshness } from "../live/use-entities.ts";
import { useDurabilityText } from "../overview/cluster-panel.tsx";
import { RedisList } from "../redis/redis-list.tsx";
import { buttonClasses } from "../ui/button.tsx";
import { EmptyState, SkeletonLines } from "../ui/feedback.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateWord } from "../ui/state-glyph.tsx";
import { compareUrgency } from "../ui/state-urgency.ts";
import { Table, Td, Th, Tr } from "../ui/table.tsx";

/** All clusters, the worst first. */
export function ClustersScreen() {
  const t = useTranslations("cluster");
  const clusters = useEntities("cluster");
  const { ready } = useFreshness();
  const sorted = [...clusters].sort((a, b) => compareUrgency(a.state, b.state) || a.id.localeCompare(b.id, "en"));
  return (
    <>
      <PageHeader title={t("clusters")} subtitle={t("clustersText")} />
      <Panel bodyClassName="px-4 py-1">
        {!ready && sorted.length === 0 ? (
          <SkeletonLines lines={3} className="py-4" />
        ) : sorted.length === 0 ? (
          <EmptyState
            title={t("none")}
            text={t("noneHint")}
            action={
              <Link href="/nodes/add" className={buttonClasses("primary")}>
                {t("addNodes")}
              </Link>
            }
          />
        ) : (
          <Table label={t("clusters")}>
            <thead>
              <tr>
                {(["cluster", "state", "primary", "durability", "epoch", "why"] as const).map((column) => (
                  <Th key={column}>{t(`column.${column}`)}</Th>
                ))}
              </tr>
            </thead>
            <tbody>
              {sorted.map((cluster) => (
                <Row key={cluster.id} cluster={cluster} />
              ))}
            </tbody>
          </Table>
        )}
      </Panel>
      <RedisList />
    </>
  );
}

function Row({ cluster }: { cluster: ClusterView }) {
  const durability = useDurabilityText(cluster);
  const reason = useReasonText("reason");
  return (
    <Tr>
      <Td>
        <Link href={`/clusters/${encodeURIComponent(cluster.id)}`} className="focus-ring font-semibold hover:underline">
          {cluster.id}
        </Link>
      </Td>
      <Td>
        <StateWord state={cluster.state} />
      </Td>
      <Td>{cluster.primary ?? "–"}</Td>
      <Td>{durability}</Td>
      <Td className="num">{cluster.epoch}</Td>
      <Td className="text-muted">{cluster.reasons[0] === undefined ? "" : reason(cluster.reasons[0])}</Td>
    </Tr>
  );
}
