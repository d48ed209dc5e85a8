"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import type { ReactNode } from "react";
import type { ClusterView } from "../../server/protocol/index.ts";
import { ActionSheet, useActionSheet } from "../action/action-sheet.tsx";
import { InDoubtPanel } from "../changes/in-doubt.tsx";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText, useReasonText } from "../i18n/code-text.ts";
import { useEntity, useFreshness } from "../live/use-entities.ts";
import { useDurabilityText, WorkloadCharts } from "../overview/cluster-panel.tsx";
import { useKey } from "../shell/use-shortcuts.ts";
import { ReplicationTable } from "../topology/replication-table.tsx";
import { ReplicationTree } from "../topology/replication-tree.tsx";
import { Badge } from "../ui/badge.tsx";
import { Button, buttonClasses } from "../ui/button.tsx";
import { EmptyState, Skeleton, SkeletonLines } from "../ui/feedback.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { CandidateList } from "./candidate-list.tsx";
import { ClusterControls } from "./cluster-controls.tsx";
import { EpochHistory } from "./epoch-history.tsx";
import { WhoSeesWhom } from "./who-sees-whom.tsx";

/** One cluster: who is primary, who follows, who could take over, and the two buttons that change it. */
export function ClusterScreen({ id }: { id: string }) {
  const t = useTranslations("cluster");
  const cluster = useEntity("cluster", id);
  const { ready } = useFreshness();
  if (cluster === undefined && !ready) {
    return (
      <div className="flex flex-col gap-4">
        <SkeletonLines lines={2} />
        <Skeleton className="h-72" />
      </div>
    );
  }
  if (cluster === undefined) {
    return (
      <EmptyState
        title={t("unknown", { cluster: id })}
        text={t("unknownHint")}
        action={
          <Link href="/clusters" className={buttonClasses()}>
            {t("all")}
          </Link>
        }
      />
    );
  }
  return <Loaded cluster={cluster} />;
}

function Loaded({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const state = useTranslations("state");
  const reason = useReasonText("reason");
  const say = useCodeText();
  const version = cluster.members.find((member) => member.node === cluster.primary)?.postgresVersion ?? null;
  return (
    <>
      <PageHeader
        crumbs={
          <Link href="/clusters" className="focus-ring hover:text-ink">
            {t("clusters")}
          </Link>
        }
        title={
          <span className="inline-flex items-center gap-2.5">
            <StateGlyph state={cluster.state} size={16} withWord />
            <span>
              {cluster.id} · PostgreSQL{version !== null && ` ${version}`} · {state(cluster.state)}
            </span>
          </span>
        }
        subtitle={cluster.reasons.length > 0 ? cluster.reasons.map(reason).join(" ") : t("asPromised")}
        actions={<Commands cluster={cluster} />}
      />
      <Chips cluster={cluster} />
      {cluster.refusal !== null && (
        <p role="status" className="mb-4 rounded-lg border border-danger px-4 py-3">
          <strong>{t("refused")}</strong> {say("refusal", cluster.refusal.code, cluster.refusal.data)}
        </p>
      )}
      <InDoubtPanel cluster={cluster.id} className="mb-4" />
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1.5fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-4">
          <TopologyPanel cluster={cluster} />
          <Panel title={t("clients")}>
            <WorkloadCharts cluster={cluster} />
          </Panel>
          <EpochHistory cluster={cluster} />
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <CandidateList cluster={cluster} />
          <WhoSeesWhom cluster={cluster} />
          <ClusterControls cluster={cluster} />
        </div>
      </div>
      <ActionSheet cluster={cluster.id} />
    </>
  );
}

function Chips({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const durability = useDurabilityText(cluster);
  const left = Math.max(0, cluster.budget.of - cluster.budget.used);
  const chips: [string, ReactNode][] = [
    ["epoch", t("epoch", { epoch: cluster.epoch })],
    ["timeline", t("timeline", { timeline: cluster.timeline ?? "–" })],
    [
      "durability",
      cluster.durability.mode === "async"
        ? durability
        : t("durability", { durability, members: cluster.configuration?.members.length ?? 0 }),
    ],
    [
      "automation",
      t("automationChip", { state: t(`automationState.${cluster.automation.state}`), left, of: cluster.budget.of }),
    ],
  ];
  return (
    <div className="mb-4 flex flex-wrap gap-2">
      {chips.map(([key, text]) => (
        <Badge key={key} tone={key === "automation" && cluster.automation.state !== "on" ? "amber" : "plain"}>
          {text}
        </Badge>
      ))}
      {cluster.openIncidentId !== null && (
        <Link href={`/incidents/${cluster.openIncidentId}`} className="focus-ring rounded-full">
          <Badge tone="danger">{cluster.openIncidentId}</Badge>
        </Link>
      )}
    </div>
  );
}

function Commands({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const sheet = useActionSheet();
  const gate = useActionRefusal("operator");
  const open = cluster.openActionId;
  return (
    <>
      {open !== null && <Button onClick={() => sheet.show(open)}>{t("running", { action: open })}</Button>}
      <Button refusal={gate} onClick={() => sheet.plan("failover")}>
        {t("failover")}
      </Button>
      <Button variant="primary" refusal={gate} onClick={() => sheet.plan("switchover")}>
        {t("switchover")}
      </Button>
    </>
  );
}

const views = ["tree", "table"] as const;

function TopologyPanel({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const [view, setView] = useQueryState("topology", parseAsStringLiteral(views).withDefault("tree"));
  const sheet = useActionSheet();
  useKey("t", () => void setView(view === "tree" ? "table" : "tree"));
  return (
    <Panel
      title={t("topology")}
      aside={
        <Segmented
          label={t("topology")}
          value={view}
          onChange={(value) => void setView(value)}
          options={views.map((value) => ({ value, label: t(value) }))}
        />
      }
    >
      {view === "tree" ? (
        <ReplicationTree cluster={cluster} marked={sheet.to} />
      ) : (
        <ReplicationTable cluster={cluster} />
      )}
    </Panel>
  );
}
