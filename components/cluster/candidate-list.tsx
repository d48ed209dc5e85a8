"use client";
import { useTranslations } from "next-intl";
import type { ClusterView } from "../../server/protocol/index.ts";
import { useReasonText } from "../i18n/code-text.ts";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";

/** Who could take over right now, and for each other why not. */
export function CandidateList({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const reason = useReasonText("candidate");
  return (
    <Panel title={t("candidates")}>
      <ul>
        {cluster.members.map((member) => (
          <li
            key={member.node}
            className="grid grid-cols-[1.25rem_5rem_1fr] items-baseline gap-2 border-t border-line py-2"
          >
            <StateGlyph
              state={
                member.candidate.eligible
                  ? "healthy"
                  : member.node === cluster.primary
                    ? "healthy"
                    : member.state === "healthy"
                      ? "degraded"
                      : member.state
              }
              size={10}
              withWord
            />
            <span className="font-semibold">{member.node}</span>
            <span className="text-muted">{reason(member.candidate.reason)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
