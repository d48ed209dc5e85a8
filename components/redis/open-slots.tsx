"use client";
import { useTranslations } from "next-intl";
import type { RedisView } from "../../server/protocol/index.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";

/** Slots that an ended move left half-way: their keys are on two masters, and clients are sent around until somebody closes them. */
export function OpenSlots({
  redis,
  refusal,
  onClose,
}: {
  readonly redis: RedisView;
  readonly refusal: string | null;
  readonly onClose: () => void;
}) {
  const t = useTranslations("redis");
  if (redis.open.length === 0) return null;
  const stuck = redis.open.every(({ to }) => to === null);
  return (
    <Panel
      title={t("openSlots")}
      aside={
        <Button size="sm" refusal={refusal ?? (stuck ? t("openNowhere") : null)} onClick={onClose}>
          {t("closeSlots")}
        </Button>
      }
    >
      <p className="flex gap-2.5">
        <span className="pt-0.5">
          <StateGlyph state="degraded" size={12} />
        </span>
        {t("openText", { slots: redis.openSlots })}
      </p>
      <ul className="mt-2">
        {redis.open.map(({ from, to, slots }) => (
          <li key={`${from}>${to}`} className="flex justify-between gap-3 border-t border-line py-1 first:border-t-0">
            <span>
              {from ?? t("openUnknown")} → {to ?? t("openUnknown")}
            </span>
            <span className="num text-muted">
              {slots.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ")}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
