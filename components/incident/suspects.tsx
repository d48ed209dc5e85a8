"use client";
import { useTranslations } from "next-intl";
import type { Evidence, IncidentView } from "../../server/protocol/index.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { classes } from "../ui/classes.ts";
import { Panel } from "../ui/panel.tsx";
import { HostileText, useFormat } from "../ui/text.tsx";
import { ExhibitView } from "./exhibit.tsx";

/** Of the first suspect: what shows the fault best is open already. */
const exhibitsShown = 2;

/** Ranked causes with their confidence in word and number, and the evidence for and against. */
export function Suspects({ incident }: { incident: IncidentView }) {
  const t = useTranslations("suspects");
  if (incident.suspects.length === 0) {
    return (
      <Panel title={t("title")}>
        <p className="text-muted">{incident.localization === null ? t("looking") : t("none")}</p>
        <Missing incident={incident} />
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
      <Missing incident={incident} />
    </Panel>
  );
}

/** "Not enough evidence" is an answer, too: this would settle it. */
function Missing({ incident }: { incident: IncidentView }) {
  const t = useTranslations("suspects");
  const say = useCodeText();
  const missing = incident.localization?.missing ?? [];
  if (missing.length === 0) return null;
  return (
    <div className="mt-2 rounded-md border border-line bg-well p-3 text-sm">
      <p className="font-semibold">{t("notEnough")}</p>
      <ul className="mt-1 list-disc pl-5 text-muted">
        {missing.map(({ code, data }) => (
          <li key={code}>{say("wouldSettle", code, data)}</li>
        ))}
      </ul>
    </div>
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
          {rank}. <HostileText text={suspect.subject.id} max={60} />: {say("suspectCause", suspect.cause)}
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
        <ul className="mt-1.5 flex flex-col gap-1.5">
          {suspect.evidence.map((item, index) => (
            <EvidenceLine
              // biome-ignore lint/suspicious/noArrayIndexKey: the same kind of evidence may speak twice
              key={`${item.code}-${item.observer}-${index}`}
              evidence={item}
              isShown={rank === 1 && index < exhibitsShown}
            />
          ))}
        </ul>
      </details>
    </li>
  );
}

/** Who saw what, for or against. */
export function EvidenceLine({ evidence, isShown = false }: { evidence: Evidence; isShown?: boolean }) {
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
      <span className="min-w-0 flex-1">
        {say("evidence", evidence.code, evidence.data)}{" "}
        <span className="text-muted">
          · {evidence.observer === "control-plane" ? t("controlPlane") : evidence.observer}
        </span>
        {evidence.exhibit !== undefined && (
          <details className="mt-1" open={isShown}>
            <summary className="focus-ring cursor-pointer rounded-sm text-xs text-muted">{t("show")}</summary>
            <div className="mt-1">
              <ExhibitView exhibit={evidence.exhibit} />
            </div>
          </details>
        )}
      </span>
    </li>
  );
}
