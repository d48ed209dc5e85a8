"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useEntities } from "../live/use-entities.ts";
import { Tooltip } from "../ui/tooltip.tsx";
import { summarizeAutomation } from "./automation-summary.ts";
import { useScope, useScopedHref } from "./scope.ts";
import { chip } from "./top-bar.tsx";

/** Whether Holdfast acts by itself, in words. */
export function AutomationChip() {
  const t = useTranslations("automation");
  const clusters = useEntities("cluster");
  const [scope] = useScope();
  const href = useScopedHref("/clusters");
  const summary = summarizeAutomation(scope === null ? clusters : clusters.filter((cluster) => cluster.id === scope));
  if (summary.of === 0) return null;
  return (
    <Tooltip text={t(`${summary.state}Hint`, { count: summary.count, of: summary.of })} side="bottom">
      <Link href={href} className={chip} data-automation={summary.state}>
        {t(summary.count === summary.of ? summary.state : `${summary.state}Some`, {
          count: summary.count,
          of: summary.of,
        })}
      </Link>
    </Tooltip>
  );
}
