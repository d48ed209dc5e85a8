"use client";
import { useTranslations } from "next-intl";
import type { IncidentView } from "../../server/protocol/index.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { HostileText } from "../ui/text.tsx";

/** Who feels it: the service whose users complained first, and everything that joined. */
export function Symptoms({ incident }: { incident: IncidentView }) {
  const t = useTranslations("symptoms");
  const say = useCodeText();
  const isOfServices = incident.cause.kind === "service-degraded";
  const verdicts = isOfServices ? [incident.cause, ...incident.symptoms] : incident.symptoms;
  if (verdicts.length === 0) return null;
  return (
    <Panel title={t("title")} aside={isOfServices ? t("aside") : undefined}>
      <ul>
        {verdicts.map((verdict) => (
          <li key={`${verdict.kind}-${verdict.subject.id}`} className="flex gap-2 border-t border-line py-2">
            <StateGlyph state="degraded" size={12} withWord className="mt-0.5" />
            <span className="min-w-0">
              <span className="font-semibold">
                <HostileText text={verdict.subject.id} max={60} />
              </span>{" "}
              <span className="text-muted">
                {verdict.evidence.length > 0
                  ? verdict.evidence
                      .slice(0, 2)
                      .map(({ code, data }) => say("evidence", code, data))
                      .join("; ")
                  : say("verdict", verdict.kind)}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
