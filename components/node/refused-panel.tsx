"use client";
import { useTranslations } from "next-intl";
import type { NodeDetail } from "../../server/protocol/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Panel } from "../ui/panel.tsx";
import { RelativeTime, useFormat } from "../ui/text.tsx";

/** What the agent said that could not be read: its numbers are missing elsewhere, so it is told here. */
export function RefusedPanel({ refused }: { refused: NodeDetail["refused"] }) {
  const t = useTranslations("node.refused");
  const format = useFormat();
  if (refused === null) return null;
  return (
    <Panel title={t("title")} aside={t("count", { count: refused.count })}>
      <p className="mb-2 max-w-prose text-muted">{t("text")}</p>
      <ul>
        {refused.kinds.map(({ part, place, why, count, lastAt }) => (
          <li
            key={`${part} ${place} ${why}`}
            className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-t border-line py-1.5"
          >
            <span className="min-w-0 flex-1 basis-64 break-words">
              <span className="font-medium">
                {place === "" ? t(`part.${part}`) : t("at", { part: t(`part.${part}`), place: cleanText(place, 60) })}
              </span>{" "}
              <span className="text-muted">{t(`why.${why}`)}</span>
            </span>
            <span className="num text-muted">
              {format.number(count)} × · <RelativeTime at={lastAt} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
