"use client";
import { useTranslations } from "next-intl";
import { useRef } from "react";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useNow } from "../live/use-now.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Elapsed, Mono, RelativeTime, useFormat } from "../ui/text.tsx";
import type { PlacedLock } from "./use-locks.ts";

const columns =
  "md:grid md:grid-cols-[minmax(10rem,1.5fr)_minmax(9rem,1.4fr)_5rem_6rem_7.5rem_minmax(9rem,1.4fr)_auto] md:items-start md:gap-x-4";
const waitersShown = 4;

/** One row a lock; on a phone one card. */
export function LockList({
  locks,
  onRelease,
}: {
  locks: readonly PlacedLock[];
  onRelease: (lock: PlacedLock) => void;
}) {
  const t = useTranslations("locks");
  const refusal = useActionRefusal("operator");
  return (
    <>
      <div aria-hidden className={`hidden pb-1.5 text-xs font-medium text-muted ${columns}`}>
        {(["lock", "holder", "token", "since", "left", "waiters"] as const).map((column) => (
          <span key={column}>{t(`column.${column}`)}</span>
        ))}
        {/* As wide as the buttons below. */}
        <span className="invisible h-0 overflow-hidden px-2.5 text-xs">{t("release")}</span>
      </div>
      <ul aria-label={t("list")}>
        {locks.map((lock) => (
          <LockRow key={`${lock.provider}/${lock.name}`} lock={lock} refusal={refusal} onRelease={onRelease} />
        ))}
      </ul>
    </>
  );
}

function LockRow({
  lock,
  refusal,
  onRelease,
}: {
  lock: PlacedLock;
  refusal: string | null;
  onRelease: (lock: PlacedLock) => void;
}) {
  const t = useTranslations("locks");
  const { holder } = lock;
  return (
    <li className={`flex flex-col gap-1.5 border-t border-line py-3 text-sm ${columns}`} data-lock={lock.name}>
      <span className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
        <Mono className="font-medium break-all">{cleanText(lock.name, 200)}</Mono>
        <Badge>{lock.provider}</Badge>
      </span>
      <Cell name={t("column.holder")}>
        {holder === null ? (
          <span className="text-muted">{t("free")}</span>
        ) : (
          <span className="break-words">{cleanText(holder.label, 200)}</span>
        )}
      </Cell>
      <Cell name={t("column.token")}>
        <Mono>{holder?.token ?? "–"}</Mono>
      </Cell>
      <Cell name={t("column.since")}>{holder === null ? "–" : <RelativeTime at={holder.since} />}</Cell>
      <Cell name={t("column.left")}>{holder === null ? "–" : <TimeLeft {...holder} />}</Cell>
      <Cell name={t("column.waiters")}>
        <Waiters waiters={lock.waiters} />
      </Cell>
      <span className="flex md:justify-end">
        {holder?.token != null && (
          <Button
            size="sm"
            refusal={refusal}
            onClick={() => onRelease(lock)}
            aria-label={t("releaseOf", { name: lock.name })}
          >
            {t("release")}
          </Button>
        )}
      </span>
    </li>
  );
}

/** Below its name on a phone; the names stand above the columns elsewhere. */
function Cell({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <span className="flex min-w-0 gap-3 md:block">
      <span className="w-20 shrink-0 text-xs leading-5 text-muted md:sr-only">{name}</span>
      <span className="min-w-0 flex-1">{children}</span>
    </span>
  );
}

/** Counts down between answers; full is the most that was seen of this grant. */
function TimeLeft({ token, until }: { token: number | null; until: number }) {
  const t = useTranslations("locks");
  const format = useFormat();
  const now = useNow(250);
  const most = useRef({ token, ms: 1 });
  const leftMs = Math.max(0, until - now);
  if (most.current.token !== token) most.current = { token, ms: 1 };
  most.current.ms = Math.max(most.current.ms, leftMs);
  const share = Math.min(1, leftMs / most.current.ms);
  return (
    <span className="flex flex-col gap-1">
      <span className="num">
        {leftMs <= 0 ? t("runOut") : format.duration(Math.max(1_000, Math.ceil(leftMs / 1_000) * 1_000))}
      </span>
      <span aria-hidden className="block h-1 w-full max-w-24 overflow-hidden rounded-full bg-raised">
        <span className="block h-full bg-muted" style={{ width: `${share * 100}%` }} />
      </span>
    </span>
  );
}

function Waiters({ waiters }: { waiters: PlacedLock["waiters"] }) {
  const t = useTranslations("locks");
  if (waiters.length === 0) return <span className="text-muted">{t("nobody")}</span>;
  return (
    <ol className="flex flex-col gap-0.5">
      {waiters.slice(0, waitersShown).map((waiter, index) => (
        <li key={waiter.id} className="flex min-w-0 gap-2">
          <span className="num w-4 shrink-0 text-right text-muted">{index + 1}</span>
          <span className="min-w-0 break-words">
            {cleanText(waiter.label, 80)}{" "}
            <span className="text-xs whitespace-nowrap text-muted">
              <Elapsed since={waiter.since} />
            </span>
          </span>
        </li>
      ))}
      {waiters.length > waitersShown && (
        <li className="pl-6 text-xs text-muted">{t("moreWaiters", { count: waiters.length - waitersShown })}</li>
      )}
    </ol>
  );
}
