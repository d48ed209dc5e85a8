"use client";
import { useTranslations } from "next-intl";
import type { ActionView, WaterfallBar } from "../../server/protocol/index.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Panel } from "../ui/panel.tsx";
import { useFormat } from "../ui/text.tsx";

/** What promoting alone costs on a small machine, milliseconds (measured; docs/decisions). */
const promotionFloorMs = 140;

/** Where the time of a failover or switchover went, one bar a stage. */
export function Waterfall({ action }: { action: ActionView }) {
  const t = useTranslations("waterfall");
  const format = useFormat();
  const bars = action.waterfall ?? [];
  if (bars.length === 0) return null;
  const from = Math.min(...bars.map((bar) => bar.fromMs));
  const to = Math.max(...bars.map((bar) => bar.toMs));
  return (
    <Panel
      title={t("title", { total: format.duration(to - from) })}
      aside={t("floor", { floor: format.duration(promotionFloorMs) })}
    >
      <ul className="flex flex-col gap-2">
        {bars.map((bar) => (
          <Bar key={`${bar.stage}-${bar.fromMs}`} bar={bar} from={from} span={Math.max(1, to - from)} />
        ))}
      </ul>
    </Panel>
  );
}

function Bar({ bar, from, span }: { bar: WaterfallBar; from: number; span: number }) {
  const t = useTranslations("waterfall");
  const format = useFormat();
  const say = useCodeText();
  const left = (100 * (bar.fromMs - from)) / span;
  const width = Math.max(0.6, (100 * (bar.toMs - bar.fromMs)) / span);
  return (
    <li className="grid grid-cols-[6rem_1fr_4rem] items-center gap-x-3 gap-y-1 lg:grid-cols-[7rem_minmax(8rem,1fr)_4rem_minmax(8rem,1.3fr)]">
      <span>{t(`stage.${bar.stage}`)}</span>
      <span className="relative h-3.5 rounded-sm bg-raised" aria-hidden>
        <span
          className="absolute inset-y-0 rounded-sm bg-accent"
          style={{ left: `${left}%`, width: `${Math.min(width, 100 - left)}%` }}
        />
      </span>
      <span className="num text-right font-medium">{format.duration(bar.toMs - bar.fromMs)}</span>
      {bar.detail !== null && (
        <span
          className="col-span-3 truncate text-xs text-muted lg:col-span-1"
          title={say("waterfall.detail", bar.detail.code, bar.detail.data)}
        >
          {say("waterfall.detail", bar.detail.code, bar.detail.data)}
        </span>
      )}
    </li>
  );
}
