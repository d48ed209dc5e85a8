"use client";
import { useTranslations } from "next-intl";
import { useFreshness } from "../live/use-entities.ts";
import { classes } from "../ui/classes.ts";
import { useFormat } from "../ui/text.tsx";
import { Tooltip } from "../ui/tooltip.tsx";
import { chip } from "./top-bar.tsx";

/** Whether what is on screen is now, and if not how old it is. */
export function ConnectionChip() {
  const t = useTranslations("connection");
  const { state, ageMs } = useFreshness();
  const format = useFormat();
  const age = ageMs === null ? "" : format.number(Math.min(ageMs, 999_000) / 1000, ageMs < 9_950 ? 1 : 0);
  return (
    <Tooltip text={t(`${state}Hint`)} side="bottom">
      <span
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its explanation must be reachable by keyboard
        tabIndex={0}
        data-connection={state}
        className={classes(chip, state !== "live" && "border-dashed", state === "stale" && "text-muted")}
      >
        <svg width="9" height="9" viewBox="0 0 10 10" aria-hidden>
          {state === "live" ? (
            <circle cx="5" cy="5" r="4.5" fill="var(--color-healthy)" />
          ) : (
            <circle
              cx="5"
              cy="5"
              r="4"
              fill="none"
              stroke="var(--color-suspect)"
              strokeWidth="1.6"
              strokeDasharray="2 1.4"
            />
          )}
        </svg>
        <span className="hidden sm:inline">{t(state, { age })}</span>
      </span>
    </Tooltip>
  );
}
