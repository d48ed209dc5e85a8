"use client";
import { useTranslations } from "next-intl";
import type { Evidence, IncidentView } from "../../server/protocol/index.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { classes } from "../ui/classes.ts";
import { Panel } from "../ui/panel.tsx";
import { useFormat } from "../ui/text.tsx";

/** Ranked causes with their confidence in word and number, and the evidence for and against. */
export function Suspects({ incident }: { incident: IncidentView }) {
  const t = useTranslations("suspects");
  if (incident.suspects.length === 0) {
    return (
      <Panel title={t("title")}>
        <p className="text-muted">{t("none")}</p>
      </Panel>
    );
  }
  return (
    <Panel title={t("title")} aside={t("aside")}>
      <ol>
        {incident.suspects.map((suspect, index) => (
          <Suspect key={`${suspect.subject.id}-${suspect.cause}`} suspect={suspect} rank={index + 1} />
        ))}
      </ol>
    </Panel>
  );
}

function Suspect({ suspect, rank }: { suspect: IncidentView["suspects"][number]; rank: number }) {
  const t = useTranslations("suspects");
  const say = useCodeText();
  const format = useFormat();
  const likely = suspect.confidence >= 0.8;
  const possible = suspect.confidence >= 0.3;
  return (
    <li className="border-t border-line py-2.5">
      <div className="flex items-baseline justify-between gap-3">
        <p className="font-semibold">
          {rank}. {suspect.subject.id}: {say("suspectCause", suspect.cause)}
        </p>
        <p className="num shrink-0 text-xs text-muted">
          {likely ? t("likely") : possible ? t("possible") : t("unlikely")} {format.number(suspect.confidence, 2)}
        </p>
      </div>
      <div className="mt-1.5 h-1 rounded-full bg-raised" aria-hidden>
        <div
          className={classes("h-1 rounded-full", likely ? "bg-down" : possible ? "bg-degraded" : "bg-unknown")}
          style={{ width: `${Math.max(1, suspect.confidence * 100)}%` }}
        />
      </div>
      <details className="mt-2 text-sm" open={rank === 1}>
        <summary className="focus-ring cursor-pointer rounded-sm text-xs text-muted">
          {t("evidence", { count: suspect.evidence.length })}
        </summary>
        <ul className="mt-1.5 flex flex-col gap-1">
          {suspect.evidence.map((item) => (
            <EvidenceLine key={`${item.code}-${item.observer}`} evidence={item} />
          ))}
        </ul>
      </details>
    </li>
  );
}

/** Who saw what, for or against. */
export function EvidenceLine({ evidence }: { evidence: Evidence }) {
  const t = useTranslations("suspects");
  const say = useCodeText();
  const against = evidence.stance === "against";
  return (
    <li className="flex gap-2">
      <span
        className={classes("w-3 shrink-0 text-center font-semibold", against ? "text-muted" : "text-ink")}
        role="img"
        aria-label={against ? t("against") : t("for")}
      >
        {against ? "−" : "+"}
      </span>
      <span className="min-w-0">
        {say("evidence", evidence.code, evidence.data)}{" "}
        <span className="text-muted">
          · {evidence.observer === "control-plane" ? t("controlPlane") : evidence.observer}
        </span>
      </span>
    </li>
  );
}
