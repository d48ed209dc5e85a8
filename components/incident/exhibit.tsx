"use client";
import { useTranslations } from "next-intl";
import type { Exhibit } from "../../server/core/index.ts";
import { HostileText, Mono, useFormat } from "../ui/text.tsx";
import { SeriesExcerpt } from "./series-excerpt.tsx";

/** What made it evidence, to look at: the series with its deviation, the call before and now, the log line, the release. */
export function ExhibitView({ exhibit }: { exhibit: Exhibit }) {
  switch (exhibit.kind) {
    case "series":
      return <SeriesExcerpt exhibit={exhibit} />;
    case "spans":
      return <SpanPair exhibit={exhibit} />;
    case "log":
      return <LogExample exhibit={exhibit} />;
    case "release":
      return <Release exhibit={exhibit} />;
    default:
      return exhibit satisfies never;
  }
}

function SpanPair({ exhibit }: { exhibit: Extract<Exhibit, { kind: "spans" }> }) {
  const t = useTranslations("exhibit");
  const format = useFormat();
  const { op, from, to, beforeMs, afterMs } = exhibit;
  const longest = Math.max(beforeMs, afterMs, 0.001);
  const rows = [
    { name: t("before"), ms: beforeMs, color: "bg-healthy" },
    { name: t("now"), ms: afterMs, color: "bg-down" },
  ];
  return (
    <figure className="rounded-md border border-line bg-well p-2.5">
      <figcaption className="mb-1.5 text-xs text-muted">
        <Mono>
          <HostileText text={from === to ? to : `${from} → ${to}`} max={80} />
        </Mono>{" "}
        {op !== "" && <HostileText text={op} max={80} />}
      </figcaption>
      {rows.map(({ name, ms, color }) => (
        <div key={name} className="grid grid-cols-[4.5rem_1fr_4.5rem] items-center gap-2 py-0.5 text-xs">
          <span className="text-muted">{name}</span>
          <span className="h-2.5 rounded-sm bg-raised" aria-hidden>
            <span
              className={`block h-2.5 rounded-sm ${color}`}
              style={{ width: `${Math.max(1, (100 * ms) / longest)}%` }}
            />
          </span>
          <span className="num text-right font-medium">{format.duration(ms)}</span>
        </div>
      ))}
    </figure>
  );
}

function LogExample({ exhibit }: { exhibit: Extract<Exhibit, { kind: "log" }> }) {
  const t = useTranslations("exhibit");
  const format = useFormat();
  const { level, text, example, traceId, count } = exhibit;
  return (
    <figure className="min-w-0 rounded-md border border-line bg-well p-2.5 text-xs">
      <figcaption className="mb-1 text-muted">
        {t("template", { level })}
        {count > 0 && ` · ${t("times", { count: format.number(count) })}`}
      </figcaption>
      <pre className="overflow-x-auto font-mono whitespace-pre-wrap break-words">
        <HostileText text={text} max={400} />
      </pre>
      {example !== "" && example !== text && (
        <>
          <p className="mt-1.5 mb-1 text-muted">{t("example")}</p>
          <pre className="overflow-x-auto font-mono whitespace-pre-wrap break-words">
            <HostileText text={example} max={400} />
          </pre>
        </>
      )}
      {traceId !== null && traceId !== "" && (
        <p className="mt-1.5 text-muted">
          {t("trace")} <Mono>{traceId.slice(0, 32)}</Mono>
        </p>
      )}
    </figure>
  );
}

function Release({ exhibit }: { exhibit: Extract<Exhibit, { kind: "release" }> }) {
  const t = useTranslations("exhibit");
  const format = useFormat();
  return (
    <p className="rounded-md border border-line bg-well p-2.5 text-xs">
      <Mono>
        <HostileText text={`${exhibit.subject} ${exhibit.version}`} max={80} />
      </Mono>{" "}
      <span className="text-muted">{t("since", { at: format.instant(exhibit.since) })}</span>
    </p>
  );
}
