"use client";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryStates } from "nuqs";
import { useState } from "react";
import type { LocksView } from "../../server/protocol/index.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useNow } from "../live/use-now.ts";
import { EmptyState, ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Input, Select } from "../ui/field.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { CopyLine, RelativeTime } from "../ui/text.tsx";
import { LockList } from "./lock-list.tsx";
import { ProviderCards } from "./provider-cards.tsx";
import { ReleaseDialog } from "./release-dialog.tsx";
import { countLocks, listPlacedLocks, type PlacedLock, staleAfterMs, useLocks } from "./use-locks.ts";

/** Who holds what, for how long yet, under which token, and who waits in which order. */
export function LocksScreen() {
  const t = useTranslations("locks");
  const query = useLocks();
  const problem = useProblemText();
  if (query.data === undefined) {
    return (
      <>
        <PageHeader title={t("title")} subtitle={t("subtitle")} />
        <Panel>
          {query.isError ? (
            <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
          ) : (
            <SkeletonLines lines={6} className="pt-4" />
          )}
        </Panel>
      </>
    );
  }
  return <Locks view={query.data} seenAt={query.dataUpdatedAt} />;
}

function Locks({ view, seenAt }: { view: LocksView; seenAt: number }) {
  const t = useTranslations("locks");
  const [releasing, setReleasing] = useState<PlacedLock | null>(null);
  const [filter, setFilter] = useQueryStates({
    q: parseAsString.withDefault(""),
    provider: parseAsString.withDefault(""),
  });
  const locks = listPlacedLocks(view.providers, filter.provider, filter.q);
  const counts = countLocks(view.providers);
  const silent = view.providers.flatMap(({ name, health }) => (health.ok ? [] : [name])).join(", ");
  const isFiltered = filter.q !== "" || filter.provider !== "";
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} actions={<Stale seenAt={seenAt} />} />
      <ProviderCards
        providers={view.providers}
        chosen={filter.provider}
        onChoose={(provider) => void setFilter({ provider })}
      />
      <Panel
        title={t("list")}
        aside={silent === "" ? t("counts", counts) : `${t("counts", counts)} · ${t("notKnown", { names: silent })}`}
        className="mt-4"
        bodyClassName="px-4 pb-2"
      >
        {(locks.length > 0 || isFiltered) && (
          <div className="flex flex-wrap gap-2 pb-3">
            <Input
              value={filter.q}
              onChange={(event) => void setFilter({ q: event.target.value })}
              placeholder={t("find")}
              aria-label={t("find")}
              className="max-w-64"
            />
            <Select
              value={filter.provider}
              onChange={(event) => void setFilter({ provider: event.target.value })}
              aria-label={t("provider")}
              options={[
                { value: "", label: t("allProviders") },
                ...view.providers.map(({ name }) => ({ value: name, label: name })),
              ]}
            />
          </div>
        )}
        {locks.length > 0 ? (
          <LockList locks={locks} onRelease={setReleasing} />
        ) : isFiltered ? (
          <EmptyState title={t("noMatch")} text={t("noMatchText")} />
        ) : (
          <Nothing silent={silent} />
        )}
        {view.providers.some(({ truncated }) => truncated) && (
          <p className="border-t border-line py-2 text-xs text-muted">{t("truncated")}</p>
        )}
      </Panel>
      {releasing !== null && <ReleaseDialog lock={releasing} onClose={() => setReleasing(null)} />}
    </>
  );
}

/** `silent`: names of the providers that can’t be asked; what they keep may be much. */
function Nothing({ silent }: { silent: string }) {
  const t = useTranslations("locks");
  if (silent !== "") return <EmptyState title={t("emptyKnown")} text={t("emptyKnownText", { names: silent })} />;
  return (
    <EmptyState
      title={t("empty")}
      text={t("emptyText")}
      action={
        <div className="w-[min(34rem,calc(100vw-5rem))] text-left">
          <CopyLine text="holdfast lock run --name try/first -- sleep 60" label={t("tryCommand")} />
        </div>
      }
    />
  );
}

/** Only while answers stay away: then every figure below is as old as this says. */
function Stale({ seenAt }: { seenAt: number }) {
  const t = useTranslations("locks");
  useNow(1_000);
  if (Date.now() - seenAt < staleAfterMs) return null;
  return (
    <span role="status" className="rounded-md bg-amber px-2.5 py-1 text-xs font-medium text-amber-ink">
      {t("stale")} <RelativeTime at={seenAt} />
    </span>
  );
}
