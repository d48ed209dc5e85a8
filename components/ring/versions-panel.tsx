"use client";
import { useTranslations } from "next-intl";
import type { KeySpaceRecord } from "../../server/core/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/text.tsx";

/** The epochs so far; each can be brought back, under a plan like any other change. */
export function VersionsPanel({ space, onBack }: { space: KeySpaceRecord; onBack: (epoch: number) => void }) {
  const t = useTranslations("ring");
  const { epoch, changedAt: at, changedBy: by, reason, nodes } = space;
  const versions = [{ epoch, at, by, reason, nodes }, ...space.previous];
  return (
    <Panel title={t("versions")}>
      <ol>
        {versions.map((version) => (
          <li
            key={version.epoch}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-1.5 first:border-t-0"
          >
            <span className="num font-medium">{t("epoch", { epoch: version.epoch })}</span>
            <span className="text-muted">
              {t("nodesCount", { count: version.nodes.filter(({ weight }) => weight > 0).length })}
            </span>
            <span className="min-w-0 flex-1 truncate text-muted">
              {cleanText(version.by, 60)} · <RelativeTime at={version.at} /> · {cleanText(version.reason, 160)}
            </span>
            {version.epoch === epoch ? (
              <span className="text-xs text-muted">{t("inForce")}</span>
            ) : (
              <Button size="sm" variant="quiet" onClick={() => onBack(version.epoch)}>
                {t("tryBack")}
              </Button>
            )}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
