"use client";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { useLive } from "../live/live-provider.tsx";
import { useFeedStatus, useSystem } from "../live/use-entities.ts";
import { serverNow } from "../live/use-now.ts";
import { Button } from "../ui/button.tsx";
import { Elapsed, useFormat } from "../ui/text.tsx";

/** Amber bars under the top bar: the feed is down, the store is lost, or we have just caught up. */
export function ConnectionBar() {
  const t = useTranslations("connection");
  const status = useFeedStatus();
  const system = useSystem();
  const { feed } = useLive();
  const downSince = useDownSince(status.downSinceMs);
  if (status.phase === "down" && downSince !== null) {
    return (
      <Bar>
        <span>
          {t("downBar")} <Elapsed since={downSince} />
        </span>
        <Button size="sm" onClick={() => feed.retryNow()}>
          {t("retryNow")}
        </Button>
      </Bar>
    );
  }
  if (system !== undefined && !system.storeAvailable) return <Bar>{t("storeLost")}</Bar>;
  if (system?.frozen) return <Bar>{t("frozen", { reason: system.frozen.reason })}</Bar>;
  return <CaughtUp />;
}

/** The moment the socket went, on the clock that ages are told by. */
function useDownSince(downSinceMs: number | null): number | null {
  const [since, setSince] = useState<number | null>(null);
  useEffect(() => {
    setSince(downSinceMs === null ? null : serverNow() - (performance.now() - downSinceMs));
  }, [downSinceMs]);
  return since;
}

const CAUGHT_UP_SHOWN_MS = 8_000;

function CaughtUp() {
  const t = useTranslations("connection");
  const format = useFormat();
  const { caughtUp } = useFeedStatus();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (caughtUp === null) return;
    setShown(true);
    const timer = setTimeout(() => setShown(false), CAUGHT_UP_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [caughtUp]);
  if (!shown || caughtUp === null) return null;
  return (
    <div role="status" className="enter-fade border-b border-line bg-panel px-5 py-1.5 text-xs text-muted">
      {t("caughtUp", { count: caughtUp.missed, number: format.number(caughtUp.missed) })}
    </div>
  );
}

function Bar({ children }: { children: React.ReactNode }) {
  return (
    <div
      role="status"
      data-bar="amber"
      className="flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-1 bg-amber px-5 py-1 text-sm font-medium text-amber-ink"
    >
      {children}
    </div>
  );
}
