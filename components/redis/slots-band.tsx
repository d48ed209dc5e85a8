"use client";
import { useTranslations } from "next-intl";
import type { RedisMemberView } from "../../server/protocol/index.ts";
import { useFormat } from "../ui/text.tsx";

const SLOTS = 16_384;

/** All 16,384 slots from left to right, in the colour of the master that serves them; what is moving stands above. */
export function SlotsBand({
  masters,
  hues,
}: {
  masters: readonly RedisMemberView[];
  hues: ReadonlyMap<string, string>;
}) {
  const t = useTranslations("redis");
  const format = useFormat();
  const served = masters.reduce((sum, master) => sum + (master.shard?.slotCount ?? 0), 0);
  return (
    <figure>
      <svg
        viewBox={`0 0 ${SLOTS} 30`}
        preserveAspectRatio="none"
        className="h-9 w-full rounded-sm bg-well"
        role="img"
        aria-label={t("bandLabel", { served, of: SLOTS })}
      >
        {masters.flatMap((master) =>
          (master.shard?.slots ?? []).map(([first, last]) => (
            <rect
              key={`${master.id}-${first}`}
              x={first}
              y={7}
              width={last - first + 1}
              height={23}
              fill={hues.get(master.id)}
            >
              <title>{`${master.id}: ${first}–${last}`}</title>
            </rect>
          )),
        )}
        {masters.flatMap((master) =>
          (master.shard?.migrating ?? []).map(({ slot }) => (
            <rect key={`${master.id}-${slot}`} x={slot - 20} y={0} width={41} height={6} fill="var(--color-suspect)" />
          )),
        )}
      </svg>
      <figcaption className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {masters.map((master) => (
          <span key={master.id} className="inline-flex items-center gap-1.5">
            <span
              aria-hidden
              className="inline-block size-2.5 rounded-sm"
              style={{ background: hues.get(master.id) }}
            />
            {master.id}
            <span className="num text-muted">
              {t("slots", {
                count: master.shard?.slotCount ?? 0,
                share: `${format.number(((master.shard?.slotCount ?? 0) / SLOTS) * 100, 1)} %`,
              })}
            </span>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
