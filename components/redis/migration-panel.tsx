"use client";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { RedisView } from "../../server/protocol/index.ts";
import { ConfirmDialog } from "../action/confirmation.tsx";
import { apiSend } from "../data/api.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime, useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";

/** The running move of slots with its rate and what is left; the last one with its way back. */
export function MigrationPanel({ redis, onReverse }: { redis: RedisView; onReverse: () => void }) {
  const t = useTranslations("redis");
  const { migration, lastMigration } = redis;
  if (migration === null && lastMigration === null) return null;
  return (
    <Panel
      title={t("migration")}
      aside={
        migration !== null && (
          <span className="inline-flex items-center gap-3">
            {migration.id} · {migration.by}
            <AbortButton id={redis.id} stopping={migration.phase === "stopping"} />
          </span>
        )
      }
    >
      {migration !== null && <Running migration={migration} />}
      {migration === null && lastMigration !== null && <Last last={lastMigration} onReverse={onReverse} />}
    </Panel>
  );
}

function Running({ migration }: { migration: NonNullable<RedisView["migration"]> }) {
  const t = useTranslations("redis");
  const format = useFormat();
  const part = migration.slotsTotal === 0 ? 1 : migration.slotsMoved / migration.slotsTotal;
  return (
    <div role="status" className="flex flex-col gap-2">
      <p className="font-medium">
        {t(`moving.${migration.migration}`)} ·{" "}
        {t("slotsOf", { moved: migration.slotsMoved, total: migration.slotsTotal })}
        {migration.phase === "stopping" && ` · ${t("stopping")}`}
      </p>
      <div
        className="h-2.5 rounded-sm bg-well"
        role="progressbar"
        aria-label={t("migration")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(part * 100)}
      >
        <div className="h-full rounded-sm bg-accent" style={{ width: `${part * 100}%` }} />
      </div>
      <p className="num text-muted">
        {t("progress", {
          rate: format.number(migration.slotsPerSecond, 1),
          left: format.duration(migration.leftMs),
          keys: format.number(migration.keysMoved),
        })}
        {migration.maxSlotsPerSecond !== null && ` · ${t("rateLimit", { rate: migration.maxSlotsPerSecond })}`}
      </p>
      {migration.retryAt !== null && migration.lastFailure !== null && (
        <p className="text-amber-ink">{t("retrying", { what: cleanText(migration.lastFailure.detail, 200) })}</p>
      )}
      <ul>
        {migration.transfers.map((transfer) => (
          <li
            key={`${transfer.from}>${transfer.to}`}
            className="flex justify-between gap-3 border-t border-line py-1 first:border-t-0"
          >
            <span className={transfer.underWay ? "font-medium" : ""}>
              {transfer.from} → {transfer.to}
            </span>
            <span className="num text-muted">{t("slotsOf", { moved: transfer.moved, total: transfer.slots })}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

// It stands at the panel's head, which does not move while the rows below grow: somebody wants to hit it.
function AbortButton({ id, stopping }: { id: string; stopping: boolean }) {
  const t = useTranslations("redis");
  const gate = useActionRefusal("operator");
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" refusal={stopping ? t("stopping") : gate} onClick={() => setOpen(true)}>
        {t("abort")}
      </Button>
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        title={t("abortTitle", { id })}
        text={t("abortText")}
        name={id}
        verb={t("abort")}
        run={({ reason }) => apiSend("POST", `redis/${encodeURIComponent(id)}/migrations/stop`, { reason })}
        onDone={() => {
          setOpen(false);
          toast(t("abortAsked"));
        }}
      />
    </>
  );
}

function Last({ last, onReverse }: { last: NonNullable<RedisView["lastMigration"]>; onReverse: () => void }) {
  const t = useTranslations("redis");
  const format = useFormat();
  const gate = useActionRefusal("operator");
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p>
        {t("last", {
          what: t(`moving.${last.migration}`),
          phase: t(`phase.${last.phase}`),
          moved: last.slotsMoved,
          total: last.slotsTotal,
          keys: format.number(last.keysMoved),
          took: format.duration(last.closedAt - last.openedAt),
        })}{" "}
        <RelativeTime at={last.closedAt} className="text-muted" />
        {last.failure !== null && <span className="block text-danger-ink">{cleanText(last.failure.detail, 240)}</span>}
      </p>
      <Button size="sm" refusal={gate ?? (last.slotsMoved === 0 ? t("nothingToReverse") : null)} onClick={onReverse}>
        {t("reverse")}
      </Button>
    </div>
  );
}
