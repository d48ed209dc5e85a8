"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useMemo } from "react";
import { cleanText } from "../format/hostile-text.ts";
import { Panel } from "../ui/panel.tsx";
import { ClockTime, useFormat } from "../ui/text.tsx";
import { type RecentAction, recentActions } from "./recent-actions.ts";
import { usePicture } from "./use-problems.ts";

/** What was done lately, by whom, and how long it took. */
export function ActionsPanel() {
  const t = useTranslations("actions");
  const { actions, clusters } = usePicture();
  const recent = useMemo(() => recentActions(actions, clusters, 5), [actions, clusters]);
  return (
    <Panel title={t("title")}>
      {recent.length === 0 ? (
        <p className="border-t border-line pt-3 text-muted">{t("none")}</p>
      ) : (
        <ul>
          {recent.map((action) => (
            <ActionRow key={action.key} action={action} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function ActionRow({ action }: { action: RecentAction }) {
  const t = useTranslations("actions");
  const format = useFormat();
  const title = t(`kind.${action.kind}`, { target: action.target ?? "–", cluster: action.cluster });
  const why = action.automatic ? t("automatic") : t("by", { name: cleanText(action.by, 40) });
  const reason = useReasonOf(action.reason);
  return (
    <li className="flex items-start justify-between gap-3 border-t border-line py-2">
      <div className="min-w-0">
        <p className="font-medium break-words">
          {action.incidentId === null ? (
            title
          ) : (
            <Link href={`/incidents/${action.incidentId}`} className="focus-ring hover:underline">
              {title}
            </Link>
          )}
        </p>
        <p className="text-muted break-words">{[why, reason].filter((part) => part !== "").join(" · ")}</p>
      </div>
      <div className="num flex shrink-0 items-baseline gap-2.5">
        <span className="font-medium">
          {action.phase === "done"
            ? action.tookMs === null
              ? ""
              : format.duration(action.tookMs)
            : t(`phase.${action.phase}`)}
        </span>
        <ClockTime at={action.at} className="text-muted" />
      </div>
    </li>
  );
}

/** Why it was done: a verdict, a code of ours, or a person's own words. */
function useReasonOf(reason: string): string {
  const t = useTranslations();
  if (reason === "") return "";
  if (t.has(`verdict.${reason}`)) return t(`verdict.${reason}`);
  if (t.has(`actions.reason.${reason}`)) return t(`actions.reason.${reason}`);
  return cleanText(reason, 80);
}
