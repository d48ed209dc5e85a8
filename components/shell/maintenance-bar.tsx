"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { Maintenance } from "../../server/core/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useEntities } from "../live/use-entities.ts";
import { useNow } from "../live/use-now.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";

/** Beyond this a line would be a wall: the rest is said as a number. */
const shownAtMost = 3;

/** A line for each maintenance that is active, on every screen: what is silent or held, by whom, why, and for how much longer. */
export function MaintenanceBar() {
  const t = useTranslations("maintenanceBar");
  const clusters = useEntities("cluster");
  const nodes = useEntities("node");
  const active = [
    ...clusters.map((each) => ({ href: `/clusters/${each.id}`, id: each.id, maintenance: each.maintenance })),
    ...nodes.map((each) => ({ href: `/nodes/${each.id}`, id: each.id, maintenance: each.maintenance })),
  ].filter((each): each is Active => each.maintenance !== null);
  if (active.length === 0) return null;
  return (
    <ul aria-label={t("label")} className="border-b border-line bg-panel px-5 py-1 text-xs">
      {active.slice(0, shownAtMost).map((each) => (
        <Line key={each.href} {...each} />
      ))}
      {active.length > shownAtMost && (
        <li className="py-0.5 text-muted">{t("more", { count: active.length - shownAtMost })}</li>
      )}
    </ul>
  );
}

interface Active {
  readonly href: string;
  readonly id: string;
  readonly maintenance: Maintenance;
}

function Line({ href, id, maintenance }: Active) {
  const t = useTranslations("maintenanceBar");
  const format = useFormat();
  const now = useNow(1_000);
  const { muteAlerts, holdAutomation, by, reason, until } = maintenance;
  const what = muteAlerts && holdAutomation ? "both" : muteAlerts ? "mute" : "hold";
  const leftMs = until === null ? null : Math.max(0, until - now);
  return (
    <li className="flex flex-wrap items-center gap-x-2 py-0.5">
      <StateGlyph state="maintenance" size={12} withWord />
      <Link href={href} className="focus-ring font-semibold hover:underline">
        {cleanText(id, 40)}
      </Link>
      <span>{t(what)}</span>
      <span className="text-muted">
        {cleanText(by, 40)}: {cleanText(reason, 120)}
      </span>
      <span className="num text-muted">
        {leftMs === null ? t("open") : now === 0 ? "" : t("left", { time: format.duration(roundUp(leftMs)) })}
      </span>
    </li>
  );
}

/** Whole minutes, and seconds in the last one: a line that counts every second is restless. */
function roundUp(ms: number): number {
  return ms > 60_000 ? Math.ceil(ms / 60_000) * 60_000 : Math.ceil(ms / 1_000) * 1_000;
}
