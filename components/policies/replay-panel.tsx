"use client";
import { useTranslations } from "next-intl";
import type { ReplayOutcome, ReplayView } from "../../server/protocol/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Button } from "../ui/button.tsx";
import { ClockTime, useFormat } from "../ui/text.tsx";

/** When the rule would have been raised over the last days: as it is, and as it would be. */
export function ReplayPanel({
  result,
  error,
  busy,
  isChanged,
  onRun,
}: {
  result: ReplayView | null;
  error: string | null;
  busy: boolean;
  isChanged: boolean;
  onRun: () => void;
}) {
  const t = useTranslations("policies");
  const format = useFormat();
  return (
    <section aria-label={t("replay")} aria-live="polite" className="flex flex-col gap-2">
      <div className="flex items-center justify-between gap-3">
        <h3 className="text-xs font-semibold text-muted">{t("replay")}</h3>
        <Button size="sm" busy={busy} onClick={onRun}>
          {t("replayRun")}
        </Button>
      </div>
      {error !== null && <p className="text-danger-ink">{error}</p>}
      {result === null ? (
        <p className="text-muted">{t("replayHint")}</p>
      ) : result.oldestAt === null ? (
        <p className="text-muted">{t("replayNothing")}</p>
      ) : (
        <>
          <Strip title={t("replayNow")} result={result} outcome={result.before} />
          {isChanged && <Strip title={t("replayThen")} result={result} outcome={result.after} />}
          <p className="text-xs text-muted">
            {t("replayBasis", { samples: format.number(result.samples), subjects: result.subjects })}{" "}
            <ClockTime at={result.oldestAt} />
            {result.leftOut > 0 && ` ${t("replayLeftOut", { count: result.leftOut })}`}
          </p>
          <Firings outcome={isChanged ? result.after : result.before} />
        </>
      )}
    </section>
  );
}

/** The days as a line; what was raised is marked on it. */
function Strip({ title, result, outcome }: { title: string; result: ReplayView; outcome: ReplayOutcome }) {
  const t = useTranslations("policies");
  const format = useFormat();
  const spanMs = Math.max(1, result.toMs - result.fromMs);
  const place = (at: number) => (Math.max(0, at - result.fromMs) / spanMs) * 1_000;
  const measuredFrom = place(result.oldestAt ?? result.toMs);
  return (
    <figure>
      <figcaption className="num flex justify-between gap-3">
        <span>{title}</span>
        <span className={outcome.count > 0 ? "font-semibold" : "text-muted"}>
          {t("replayCount", { count: outcome.count, time: format.duration(outcome.raisedMs) })}
        </span>
      </figcaption>
      <svg aria-hidden viewBox="0 0 1000 20" preserveAspectRatio="none" className="mt-1 block h-5 w-full">
        <rect x="0" y="0" width="1000" height="20" className="fill-raised" />
        <rect x="0" y="8" width={measuredFrom} height="4" className="fill-line-strong" />
        {outcome.firings.map((firing) => (
          <rect
            key={`${firing.subject}/${firing.fromMs}`}
            x={place(firing.fromMs)}
            y="0"
            width={Math.max(2, place(firing.toMs ?? result.toMs) - place(firing.fromMs))}
            height="20"
            className="fill-degraded"
          />
        ))}
      </svg>
    </figure>
  );
}

function Firings({ outcome }: { outcome: ReplayOutcome }) {
  const t = useTranslations("policies");
  const format = useFormat();
  if (outcome.firings.length === 0) return null;
  const newest = [...outcome.firings].reverse().slice(0, 8);
  return (
    <ul className="num text-xs">
      {newest.map((firing) => (
        <li key={`${firing.subject}/${firing.fromMs}`} className="flex justify-between gap-3 border-t border-line py-1">
          <span>{cleanText(firing.subject.slice(firing.subject.indexOf(":") + 1), 40)}</span>
          <span className="text-muted">
            <ClockTime at={firing.fromMs} /> ·{" "}
            {firing.toMs === null ? t("replayStill") : format.duration(firing.toMs - firing.fromMs)}
          </span>
        </li>
      ))}
    </ul>
  );
}
