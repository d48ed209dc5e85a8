"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { RedisView } from "../../server/protocol/index.ts";
import { AutomationDialog } from "../cluster/automation-dialog.tsx";
import { useAutomationReason } from "../cluster/use-automation-reason.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText, useReasonText } from "../i18n/code-text.ts";
import { useEntity, useFreshness } from "../live/use-entities.ts";
import { hueOf } from "../ring/hues.ts";
import { Badge } from "../ui/badge.tsx";
import { Button, buttonClasses } from "../ui/button.tsx";
import { EmptyState, Skeleton } from "../ui/feedback.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { FailoverSheet, useFailoverSheet } from "./failover-sheet.tsx";
import { MembersTable } from "./members-table.tsx";
import { MigrationPanel } from "./migration-panel.tsx";
import { MoveSheet, useMoveSheet } from "./move-sheet.tsx";
import { OpenSlots } from "./open-slots.tsx";
import { SlotsBand } from "./slots-band.tsx";

/** One Redis replica set or Redis Cluster: its servers, its slots, what moves, and what Redis can and can't promise. */
export function RedisScreen({ id }: { id: string }) {
  const t = useTranslations("redis");
  const redis = useEntity("redis", id);
  const { ready } = useFreshness();
  if (redis === undefined && !ready) return <Skeleton className="h-96" />;
  if (redis === undefined) {
    return (
      <EmptyState
        title={t("unknown", { id })}
        text={t("unknownHint")}
        action={
          <Link href="/clusters" className={buttonClasses()}>
            {t("all")}
          </Link>
        }
      />
    );
  }
  return <Loaded redis={redis} />;
}

function Loaded({ redis }: { redis: RedisView }) {
  const t = useTranslations("redis");
  const reason = useReasonText("reason");
  const sheet = useMoveSheet();
  const failover = useFailoverSheet();
  const gate = useActionRefusal("operator");
  // A colour stays with its server, whoever is the master right now.
  const hues = new Map(
    redis.members
      .map(({ id }) => id)
      .toSorted()
      .map((id, index) => [id, hueOf(index)]),
  );
  const masters = redis.members.filter((member) => member.role === "master" && member.shard !== null);
  const isCluster = redis.mode === "cluster";
  const busy = redis.migration === null ? null : t("alreadyMoving", { id: redis.migration.id });
  const failingOver = redis.openActionId === null ? null : t("failoverRuns", { action: redis.openActionId });
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
            <StateGlyph state={redis.state} size={16} withWord />
            {redis.id} · {isCluster ? t("cluster") : t("replicaSet")}
          </span>
        }
        subtitle={redis.reasons.length > 0 ? redis.reasons.map(reason).join(" ") : t("asPromised")}
        actions={
          isCluster && (
            <Button variant="primary" refusal={gate ?? busy} onClick={() => sheet.plan("rebalance")}>
              {t("rebalance")}
            </Button>
          )
        }
      />
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Badge>{t("epoch", { epoch: redis.epoch })}</Badge>
        {redis.slotsServed !== null && (
          <Badge tone={redis.slotsServed < 16_384 ? "danger" : "plain"}>
            {t("served", { served: redis.slotsServed })}
          </Badge>
        )}
        {!isCluster && <Badge>{t("confirming", { inForce: redis.kInForce, k: redis.k })}</Badge>}
        {!isCluster && <AutomationChip redis={redis} />}
        {redis.openActionId !== null && (
          <button
            type="button"
            className="focus-ring rounded-full"
            onClick={() => failover.show(redis.openActionId ?? "")}
          >
            <Badge tone="accent">{redis.openActionId}</Badge>
          </button>
        )}
        {redis.openIncidentId !== null && (
          <Link href={`/incidents/${redis.openIncidentId}`} className="focus-ring rounded-full">
            <Badge tone="danger">{redis.openIncidentId}</Badge>
          </Link>
        )}
      </div>
      <div className="flex flex-col gap-4">
        <OpenSlots redis={redis} refusal={gate ?? busy} onClose={() => sheet.plan("close")} />
        <MigrationPanel redis={redis} onReverse={() => sheet.plan("reverse")} />
        {isCluster && (
          <Panel title={t("slotsTitle")}>
            <SlotsBand masters={masters.filter(({ server }) => server === "running")} hues={hues} />
          </Panel>
        )}
        <Panel title={t("servers")} bodyClassName="px-4 pb-2">
          <MembersTable
            redis={redis}
            actions={{
              onDrain: isCluster ? (server) => sheet.plan("drain", server) : null,
              drainRefusal: gate ?? busy,
              onMakeMaster: failover.plan,
              masterRefusal: gate ?? failingOver,
            }}
          />
        </Panel>
        <Promises redis={redis} />
      </div>
      {isCluster && <MoveSheet id={redis.id} conflict={redis.lastMigration?.failure?.code === "key-conflict"} />}
      <FailoverSheet redis={redis} />
    </>
  );
}

/** A replica set is failed over by Holdfast; a Redis Cluster elects by itself, so there is nothing to hold. */
function AutomationChip({ redis }: { redis: RedisView }) {
  const t = useTranslations("cluster");
  const gate = useActionRefusal("operator");
  const [open, setOpen] = useState(false);
  const { automation } = redis;
  const reason = useAutomationReason(automation);
  return (
    <>
      <Badge tone={automation.state === "on" ? "plain" : "amber"}>
        {t("automation")}: {t(`automationState.${automation.state}`)}
      </Badge>
      {automation.state !== "on" && <span className="text-sm text-muted">{reason}</span>}
      <Button size="sm" refusal={gate} onClick={() => setOpen(true)}>
        {automation.state === "on" ? t("hold") : t("turnOn")}
      </Button>
      {open && <AutomationDialog kind="redis" id={redis.id} automation={automation} onClose={() => setOpen(false)} />}
    </>
  );
}

/** What Redis holds and what it does not, in sentences: nobody should learn it from an outage. */
function Promises({ redis }: { redis: RedisView }) {
  const t = useTranslations("redis");
  const say = useCodeText();
  return (
    <Panel title={t("promises")}>
      <ul className="flex flex-col gap-2">
        {redis.promises.map((promise) => (
          <li key={promise.code} className="flex gap-2.5">
            <span className="pt-0.5">
              <StateGlyph state={promise.holds ? "healthy" : "degraded"} size={12} />
            </span>
            <span>
              <span className="sr-only">{promise.holds ? t("holds") : t("holdsNot")} </span>
              {say("redis.promise", promise.code, promise.data)}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
