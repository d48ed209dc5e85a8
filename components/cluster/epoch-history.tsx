"use client";
import { useTranslations } from "next-intl";
import type { ClusterView } from "../../server/protocol/index.ts";
import { useActionSheet } from "../action/action-sheet.tsx";
import { cleanText } from "../format/hostile-text.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Panel } from "../ui/panel.tsx";
import { ClockTime, useFormat } from "../ui/text.tsx";

/** Every grant of the primary role, newest first. */
export function EpochHistory({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const say = useCodeText();
  const format = useFormat();
  const sheet = useActionSheet();
  const announced = (bytes: number | null) =>
    bytes === null ? t("announcedUnknown") : t("announced", { bytes: format.bytes(bytes) });
  const epochs = [...cluster.epochs].reverse().slice(0, 20);
  return (
    <Panel title={t("epochs")}>
      <ol>
        {epochs.map((record) => (
          <li
            key={record.epoch}
            className="grid grid-cols-[2.5rem_5rem_1fr_auto] items-baseline gap-2 border-t border-line py-2"
          >
            <span className="num font-semibold">{record.epoch}</span>
            <span>{record.primary}</span>
            <span className="min-w-0 text-muted">
              {record.actionId === null ? (
                t(`cause.${record.cause}`)
              ) : (
                <button
                  type="button"
                  onClick={() => record.actionId !== null && sheet.show(record.actionId)}
                  className="focus-ring rounded-sm text-left hover:text-ink hover:underline"
                >
                  {t(`cause.${record.cause}`)}
                </button>
              )}
              {record.cause === "failover" && `: ${say("verdict", record.reason)}`}
              {record.cause === "switchover" && `: ${record.by}, “${cleanText(record.reason, 80)}”`}
            </span>
            <span className="num text-right">
              {record.unavailableMs !== null && `${format.duration(record.unavailableMs)} · `}
              {record.lost !== null && `${t("lost", { lost: record.lost })} · `}
              {record.possibleLoss != null && `${announced(record.possibleLoss.atMostBytes)} · `}
              <ClockTime at={record.at} className="text-muted" />
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
