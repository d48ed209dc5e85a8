"use client";
import { useTranslations } from "next-intl";
import type { ActionView } from "../../server/protocol/index.ts";
import { useReasonText } from "../i18n/code-text.ts";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";

/** Why this one was promoted, and why not the others. */
export function Candidates({ action }: { action: ActionView }) {
  const t = useTranslations("candidates");
  const reason = useReasonText("candidate");
  if (action.candidates.length === 0) return null;
  const others = action.from !== null && !action.candidates.some((item) => item.node === action.from);
  const isPlanned = action.kind === "switchover";
  return (
    <Panel title={t("title", { node: action.target ?? "" })}>
      <ul>
        {action.candidates.map((item) => (
          <Row
            key={item.node}
            node={item.node}
            state={item.eligible ? "healthy" : "degraded"}
            word={item.chosen ? t("chosen") : item.eligible ? t("eligible") : t("notEligible")}
            text={reason(item.reason)}
          />
        ))}
        {others && action.from !== null && (
          <Row
            node={action.from}
            state={isPlanned ? "healthy" : "down"}
            word={t("notEligible")}
            text={t(isPlanned ? "oldPlanned" : "old", { epoch: action.epoch })}
          />
        )}
      </ul>
    </Panel>
  );
}

function Row({
  node,
  state,
  word,
  text,
}: {
  node: string;
  state: "healthy" | "degraded" | "down";
  word: string;
  text: string;
}) {
  return (
    <li className="grid grid-cols-[1.25rem_5rem_6rem_1fr] items-baseline gap-2 border-t border-line py-2">
      <StateGlyph state={state} size={10} withWord />
      <span className="font-semibold">{node}</span>
      <span>{word}</span>
      <span className="text-muted">{text}</span>
    </li>
  );
}
