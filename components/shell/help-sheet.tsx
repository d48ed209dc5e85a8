"use client";
import { useTranslations } from "next-intl";
import type { HealthState } from "../../server/protocol/index.ts";
import { Sheet } from "../ui/dialog.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { stateUrgency } from "../ui/state-urgency.ts";
import { Kbd } from "../ui/text.tsx";
import { places } from "./navigation.ts";

/** `?`: every key, and what each of the seven shapes means. */
export function HelpSheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTranslations("help");
  const nav = useTranslations("nav");
  const state = useTranslations("state");
  const keys: readonly { keys: readonly string[]; text: string }[] = [
    { keys: ["⌘", "K"], text: t("palette") },
    ...places.map((place) => ({ keys: ["g", place.key], text: nav(place.id) })),
    { keys: ["j"], text: t("next") },
    { keys: ["k"], text: t("previous") },
    { keys: ["t"], text: t("table") },
    { keys: ["/"], text: t("search") },
    { keys: ["?"], text: t("this") },
  ];
  return (
    <Sheet open={open} onClose={onClose} title={t("title")} width="24rem">
      <h3 className="mb-2 text-xs font-semibold text-muted">{t("keys")}</h3>
      <ul className="flex flex-col gap-1.5">
        {keys.map((each) => (
          <li key={each.keys.join()} className="flex items-center justify-between gap-3">
            {each.text}
            <span className="flex gap-1">
              {each.keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </span>
          </li>
        ))}
      </ul>
      <h3 className="mt-6 mb-2 text-xs font-semibold text-muted">{t("states")}</h3>
      <ul className="flex flex-col gap-2">
        {[...stateUrgency].reverse().map((each: HealthState) => (
          <li key={each} className="flex gap-2.5">
            <span className="mt-0.5 inline-flex w-4 justify-center">
              <StateGlyph state={each} size={14} withWord />
            </span>
            <span>
              <span className="font-medium">{state(each)}</span>
              <span className="block text-xs text-muted">{t(`state.${each}`)}</span>
            </span>
          </li>
        ))}
      </ul>
    </Sheet>
  );
}
