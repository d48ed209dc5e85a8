"use client";
import { ArrowLeftRight, type LucideIcon, RotateCcw, Undo2, Waves } from "lucide-react";
import { useTranslations } from "next-intl";
import type { SuggestedRecovery } from "../../server/core/index.ts";
import type { IncidentView } from "../../server/protocol/index.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { HostileText, useFormat } from "../ui/text.tsx";
import { CausePolicy } from "./cause-policy.tsx";
import { useIncidentCommand } from "./incident-actions.tsx";

/** What would end the fault, by its cause: one click away, or done already where the policy says so. */
export function RecoveryPanel({ incident }: { incident: IncidentView }) {
  const t = useTranslations("recovery");
  const recovery = incident.recovery ?? null;
  const [first] = incident.suspects;
  if (first === undefined || (!incident.localization && recovery === null)) return null;
  return (
    <Panel title={t("title")}>
      {recovery === null ? (
        <p className="text-muted">{t(`none.${first.cause}`, { service: first.subject.id })}</p>
      ) : (
        <Suggestion incident={incident} recovery={recovery} />
      )}
      <CausePolicy cause={recovery?.cause ?? first.cause} />
    </Panel>
  );
}

const icons: Readonly<Record<SuggestedRecovery["action"], LucideIcon>> = {
  "restart-service": RotateCcw,
  "roll-back-release": Undo2,
  "switch-over": ArrowLeftRight,
  "drain-shard": Waves,
};

function Suggestion({ incident, recovery }: { incident: IncidentView; recovery: SuggestedRecovery }) {
  const t = useTranslations("recovery");
  const refusal = useActionRefusal("operator");
  const format = useFormat();
  const { busy, run } = useIncidentCommand(incident.id);
  const say = useCodeText();
  const { action, state, automatic, reason, by, requestedAt, endedAt, detail } = recovery;
  const { service, leaves = "", target } = recovery;
  const names = { service, leaves, target: target ?? "" };
  const cause = recovery.cause === undefined ? "" : say("suspectCause", recovery.cause);
  const Icon = icons[action];
  if (state === "offered" || state === "failed") {
    const over = incident.resolvedAt !== null ? t("over") : null;
    return (
      <>
        {state === "failed" && (
          <p className="mb-2 flex gap-2 text-danger-ink">
            <StateGlyph state="down" size={12} withWord />
            <HostileText text={t("failed", { detail: detail ?? "" })} max={300} />
          </p>
        )}
        <p className="mb-2 text-sm">
          {t(`why.${action}`, { ...names, cause, strained: reason === "target-strained" ? "yes" : "no" })}
        </p>
        <Button
          variant="primary"
          icon={<Icon size={15} aria-hidden />}
          refusal={refusal ?? over}
          busy={busy}
          onClick={() => void run("recover")}
        >
          {t(`do.${action}`, names)}
        </Button>
        {reason !== "" && <p className="mt-2 text-xs text-muted">{t(`held.${reason}`)}</p>}
      </>
    );
  }
  const who = automatic ? t("byItself") : t("by", { name: by ?? "" });
  return (
    <p className="flex items-baseline gap-2">
      <StateGlyph state={state === "done" ? "healthy" : "suspect"} size={12} withWord />
      <span className="min-w-0">
        {t(state === "done" ? `did.${action}` : `doing.${action}`, names)}{" "}
        <span className="text-muted">
          · {who}
          {endedAt !== null && requestedAt !== null && ` · ${format.duration(endedAt - requestedAt)}`}
          {state === "done" && detail !== null && (
            <>
              {" · "}
              <HostileText text={detail} max={300} />
            </>
          )}
        </span>
      </span>
    </p>
  );
}
