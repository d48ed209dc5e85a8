"use client";
import { useTranslations } from "next-intl";
import { classes } from "../ui/classes.ts";
import { Mono, useFormat } from "../ui/text.tsx";
import { formatShare } from "./format-share.ts";
import { hueOf } from "./hues.ts";
import type { Place, Placement, PlacementStep } from "./placement.ts";

/** The way around the circle from a key on: arcs and virtual nodes, who takes a copy, who is passed over, and why. */
export function KeyWalk({ placement, place, order }: { placement: Placement; place: Place; order: readonly string[] }) {
  const t = useTranslations("ring");
  return (
    <div className="flex flex-col gap-3">
      <Neighbourhood placement={placement} place={place} order={order} />
      <ol className="flex flex-col gap-1" aria-label={t("walk")}>
        {place.steps.map((step) => (
          <Step key={step.node} step={step} index={order.indexOf(step.node)} />
        ))}
      </ol>
    </div>
  );
}

function Step({ step, index }: { step: PlacementStep; index: number }) {
  const t = useTranslations("ring");
  return (
    <li className={classes("flex flex-wrap items-baseline gap-x-2", step.copy === null && "text-muted")}>
      <span className="num w-4 shrink-0 text-right text-xs text-muted">{step.copy ?? "–"}</span>
      <Swatch index={index} />
      <Mono className={step.copy === null ? "" : "font-semibold"}>{step.node}</Mono>
      {step.zone !== null && <span className="text-xs text-muted">{step.zone}</span>}
      <span className="text-xs text-muted">
        {t(`why.${step.why}` as "why.owner")}
        {step.atBound && ` ${t("why.atBound")}`}
      </span>
    </li>
  );
}

export function Swatch({ index }: { index: number }) {
  return (
    <span
      aria-hidden
      className="inline-block size-2.5 shrink-0 rounded-sm"
      style={{ background: hueOf(Math.max(0, index)) }}
    />
  );
}

const SHOWN = 40;

/** A stretch of the circle behind the key, drawn wide enough for single virtual nodes. */
function Neighbourhood({ placement, place, order }: { placement: Placement; place: Place; order: readonly string[] }) {
  const t = useTranslations("ring");
  const format = useFormat();
  const arcs = placement.arcsFrom(place.part, SHOWN);
  const first = arcs[0];
  const last = arcs.at(-1);
  if (first === undefined || last === undefined) return null;
  const length = last.to - first.from;
  const copies = new Map(place.steps.filter(({ copy }) => copy !== null).map(({ node, copy }) => [node, copy]));
  const met = new Set<string>();
  return (
    <figure>
      <svg viewBox="0 0 400 34" preserveAspectRatio="none" className="h-10 w-full" aria-hidden>
        {arcs.map((arc) => {
          const x = ((arc.from - first.from) / length) * 400;
          const width = ((arc.to - arc.from) / length) * 400;
          const firstMeeting = !met.has(arc.point);
          met.add(arc.point);
          const copy = firstMeeting ? copies.get(arc.point) : undefined;
          return (
            <g key={arc.to}>
              <rect
                x={x}
                y={10}
                width={Math.max(0.4, width - 0.6)}
                height={14}
                fill={hueOf(Math.max(0, order.indexOf(arc.owner)))}
                opacity={0.75}
              />
              <rect
                x={x + width - 0.8}
                y={copy === undefined ? 24 : 2}
                width={copy === undefined ? 0.6 : 1.6}
                height={copy === undefined ? 5 : 30}
                fill="var(--color-ink)"
                opacity={copy === undefined ? 0.45 : 1}
              />
            </g>
          );
        })}
      </svg>
      <figcaption className="flex justify-between text-xs text-muted">
        <span>{place.slot === null ? t("keyHere") : t("slotHere", { slot: place.slot })}</span>
        <span className="num">{t("stretch", { part: formatShare(length, format.locale), count: arcs.length })}</span>
      </figcaption>
    </figure>
  );
}
