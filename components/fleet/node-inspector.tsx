"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useReasonText } from "../i18n/code-text.ts";
import { useEntity } from "../live/use-entities.ts";
import { buttonClasses } from "../ui/button.tsx";
import { Sheet } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { Fact, Facts } from "../ui/panel.tsx";
import { StateWord } from "../ui/state-glyph.tsx";
import { Elapsed, RelativeTime, useFormat } from "../ui/text.tsx";
import { UsageBar } from "./usage-bar.tsx";

/** A node beside the fleet, without leaving it (`?node=`). */
export function NodeInspector({ id, onClose }: { id: string | null; onClose: () => void }) {
  const t = useTranslations("node");
  const role = useTranslations("role");
  const node = useEntity("node", id);
  const reason = useReasonText();
  const format = useFormat();
  const host = node?.host ?? null;
  return (
    <Sheet
      open={id !== null}
      onClose={onClose}
      width="26rem"
      title={id ?? ""}
      path={node === undefined ? undefined : [node.zone, node.cluster].filter(Boolean).join(" / ")}
      footer={
        id !== null && node !== undefined ? (
          <Link href={`/nodes/${encodeURIComponent(id)}`} className={buttonClasses("primary")}>
            {t("openPage")}
          </Link>
        ) : undefined
      }
    >
      {node === undefined ? (
        <EmptyState title={t("unknownTitle")} text={t("unknownText", { node: id ?? "" })} />
      ) : (
        <div className="flex flex-col gap-5">
          <div>
            <div className="flex items-center justify-between gap-3 text-base font-medium">
              <StateWord state={node.state} size={14} />
              <span className="text-sm text-muted">
                <Elapsed since={node.stateSince} />
              </span>
            </div>
            <ul className="mt-1.5 flex flex-col gap-1 text-muted">
              {node.reasons.map((each) => (
                <li key={each.code}>{reason(each)}</li>
              ))}
            </ul>
          </div>
          <Facts>
            <Fact name={t("role")}>{role(node.role)}</Fact>
            <Fact name={t("cluster")}>{node.cluster ?? "–"}</Fact>
            <Fact name={t("lastSeen")}>{node.connected ? t("connected") : <RelativeTime at={node.lastSeenAt} />}</Fact>
            <Fact name={t("suspicion")}>
              {format.number(node.suspicion, 1)} / {format.number(node.suspicionThreshold, 1)}
            </Fact>
            <Fact name={t("agent")}>{node.agentVersion ?? "–"}</Fact>
            {host !== null && (
              <>
                <Fact name={t("cpu")}>
                  <UsageBar used={host.cpu} label={t("cpu")} />
                </Fact>
                <Fact name={t("memory")}>
                  <UsageBar used={host.memoryUsedBytes / host.memoryTotalBytes} label={t("memory")} />
                </Fact>
                <Fact name={t("disk")}>
                  <UsageBar used={host.diskUsedBytes / host.diskTotalBytes} label={t("disk")} />
                </Fact>
              </>
            )}
            {Object.entries(node.labels).map(([name, value]) => (
              <Fact key={name} name={name}>
                {value}
              </Fact>
            ))}
          </Facts>
        </div>
      )}
    </Sheet>
  );
}
