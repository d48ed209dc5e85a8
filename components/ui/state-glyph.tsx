"use client";
import { useTranslations } from "next-intl";
import type { HealthState } from "../../server/protocol/index.ts";
import { classes } from "./classes.ts";

/** Text colour of a state, for the glyph only: words stay in ink, so that colour is never the only carrier. */
export const stateColor: Record<HealthState, string> = {
  healthy: "text-healthy",
  suspect: "text-suspect",
  degraded: "text-degraded",
  down: "text-down",
  unknown: "text-unknown",
  maintenance: "text-maintenance",
  fenced: "text-fenced",
};

const shapes: Record<HealthState, React.ReactNode> = {
  healthy: <circle cx="8" cy="8" r="5" fill="currentColor" />,
  suspect: (
    <>
      <path d="M8 8 V2.2 A5.8 5.8 0 1 0 13.8 8 Z" fill="currentColor" />
      <path
        d="M10 2.6 A5.8 5.8 0 0 1 13.4 6"
        fill="none"
        stroke="currentColor"
        strokeWidth="1"
        strokeDasharray="1.4 1.4"
      />
    </>
  ),
  degraded: (
    <>
      <path d="M8 1.6 L15 14.2 H1 Z" fill="currentColor" stroke="currentColor" strokeWidth="1" strokeLinejoin="round" />
      <path d="M8 6 V9.6 M8 11.6 V12.6" stroke="var(--color-page)" strokeWidth="1.7" strokeLinecap="round" />
    </>
  ),
  down: (
    <g className="state-pulse">
      <rect x="1" y="1" width="14" height="14" rx="2" fill="currentColor" />
      <path d="M5 5 L11 11 M11 5 L5 11" stroke="#fff" strokeWidth="2" strokeLinecap="round" />
    </g>
  ),
  unknown: (
    <>
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2.6 2.1" />
      <path
        d="M6.4 6.5 A1.7 1.7 0 1 1 8 8.3 V9.2"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.2"
        strokeLinecap="round"
      />
      <circle cx="8" cy="11.1" r="0.8" fill="currentColor" />
    </>
  ),
  maintenance: (
    <>
      <path d="M8 0.8 L15.2 8 L8 15.2 L0.8 8 Z" fill="currentColor" />
      <path
        d="M6.2 9.8 L9.2 6.8 M9 5.4 a1.7 1.7 0 1 0 1.6 1.6"
        fill="none"
        stroke="#fff"
        strokeWidth="1.3"
        strokeLinecap="round"
      />
    </>
  ),
  fenced: (
    <>
      <rect x="1.8" y="1.8" width="12.4" height="12.4" rx="1.5" fill="none" stroke="currentColor" strokeWidth="1.7" />
      <path d="M1.8 8 H14.2" stroke="currentColor" strokeWidth="2.4" />
    </>
  ),
};

/** One of the seven states by shape, glyph and colour. Says its word to a screen reader unless the word stands next to it. */
export function StateGlyph({
  state,
  size = 12,
  withWord = false,
  className,
}: {
  state: HealthState;
  size?: number;
  /** The state's word is written beside it: the glyph is then decoration. */
  withWord?: boolean;
  className?: string;
}) {
  const t = useTranslations("state");
  const scaled = state === "down" ? size * 1.1 : state === "healthy" ? size * 0.95 : size;
  return (
    <svg
      key={state}
      width={scaled}
      height={scaled}
      viewBox="0 0 16 16"
      className={classes("inline-block shrink-0", stateColor[state], className)}
      role="img"
      aria-hidden={withWord || undefined}
      aria-label={t(state)}
    >
      {shapes[state]}
    </svg>
  );
}

/** Glyph and word. */
export function StateWord({ state, size = 12, className }: { state: HealthState; size?: number; className?: string }) {
  const t = useTranslations("state");
  return (
    <span className={classes("inline-flex items-center gap-1.5 whitespace-nowrap", className)}>
      <StateGlyph state={state} size={size} withWord />
      {t(state)}
    </span>
  );
}
