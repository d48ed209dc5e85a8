"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { ActionView } from "../../server/protocol/index.ts";
import { apiGet, apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Waterfall } from "../incident/waterfall.tsx";
import { useEntity } from "../live/use-entities.ts";
import { useNow } from "../live/use-now.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";

/** A running or ended action: its steps as they come, and what came out of it. Closing the sheet does not stop it. */
export function ActionProgress({ id }: { id: string }) {
  const live = useEntity("action", id);
  const query = useQuery({
    queryKey: ["action", id],
    queryFn: () => apiGet<ActionView>(`actions/${encodeURIComponent(id)}`),
    enabled: live === undefined,
  });
  const problem = useProblemText();
  const action = live ?? query.data;
  if (action === undefined)
    return query.isError ? <ErrorState {...problem(query.error)} /> : <SkeletonLines lines={5} />;
  return (
    <>
      <Outcome action={action} />
      <Steps action={action} />
      {action.waterfall !== null && (
        <div className="mt-4">
          <Waterfall action={action} />
        </div>
      )}
      <div className="mt-4 flex flex-wrap justify-end gap-2">
        {action.incidentId !== null && (
          <Link href={`/incidents/${action.incidentId}`} className="focus-ring self-center text-accent underline">
            {action.incidentId}
          </Link>
        )}
        {action.phase === "running" && <AbortButton action={action} />}
      </div>
    </>
  );
}

function Outcome({ action }: { action: ActionView }) {
  const t = useTranslations("action");
  const all = useTranslations();
  const say = useCodeText();
  const format = useFormat();
  const now = useNow(200);
  const elapsed = (action.endedAt ?? Math.max(now, action.startedAt)) - action.startedAt;
  const state =
    action.phase === "running"
      ? "suspect"
      : action.phase === "done"
        ? "healthy"
        : action.phase === "compensated"
          ? "degraded"
          : "down";
  return (
    <div className="flex items-center gap-3 rounded-md border border-line bg-well px-3 py-2.5" aria-live="polite">
      <StateGlyph state={state} size={16} withWord />
      <div>
        <p className="font-semibold">
          {all(`actionKind.${action.kind}`)} · {all(`actionPhase.${action.phase}`)} ·{" "}
          <span className="num">{format.duration(elapsed)}</span>
        </p>
        <p className="text-muted">
          {action.failure !== null
            ? say("failure", action.failure.code, action.failure.data)
            : action.phase === "running"
              ? t("closingIsFine")
              : t("by", { who: action.automatic ? "Holdfast" : action.by, reason: action.reason })}
        </p>
      </div>
    </div>
  );
}

const stepGlyph = {
  pending: "unknown",
  running: "suspect",
  done: "healthy",
  failed: "down",
  unknown: "unknown",
  skipped: "maintenance",
} as const;

function Steps({ action }: { action: ActionView }) {
  const t = useTranslations("action");
  const say = useCodeText();
  const format = useFormat();
  const now = useNow(200);
  return (
    <ol className="mt-3" aria-label={t("steps")}>
      {action.steps.map((step, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps are only ever added at the end
        <li key={index} className="border-t border-line py-1.5">
          <div className="grid grid-cols-[1.25rem_1fr_auto] items-center gap-2">
            <StateGlyph state={stepGlyph[step.status]} size={10} />
            <span>
              <span className="font-medium">{say("step", step.kind)}</span> {step.node ?? ""}
              <span className="sr-only"> {t(`stepStatus.${step.status}`)}</span>
            </span>
            <span className="num text-xs text-muted">
              {step.startedAt === null
                ? ""
                : format.duration((step.endedAt ?? Math.max(now, step.startedAt)) - step.startedAt)}
            </span>
          </div>
          {step.progress !== null && step.status === "running" && (
            <div
              className="mt-1 ml-7 h-1 rounded-full bg-raised"
              role="progressbar"
              aria-label={say("step", step.kind)}
              aria-valuenow={Math.round(step.progress * 100)}
              aria-valuemin={0}
              aria-valuemax={100}
            >
              <div className="h-1 rounded-full bg-accent" style={{ width: `${step.progress * 100}%` }} />
            </div>
          )}
          {step.status === "failed" && typeof step.data.detail === "string" && (
            <p className={classes("ml-7 text-sm text-danger-ink")}>{step.data.detail.slice(0, 300)}</p>
          )}
        </li>
      ))}
    </ol>
  );
}

function AbortButton({ action }: { action: ActionView }) {
  const t = useTranslations("action");
  const gate = useActionRefusal("operator");
  const problem = useProblemText();
  const [busy, setBusy] = useState(false);
  const refusal = gate ?? (action.promoteSent ? t("pastReturn") : null);
  const abort = async () => {
    setBusy(true);
    try {
      await apiSend("POST", `actions/${encodeURIComponent(action.id)}/abort`, { reason: t("abortReason") });
    } catch (error) {
      const { title, text } = problem(error);
      toast.error(title, { description: text });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button refusal={refusal} busy={busy} onClick={() => void abort()}>
      {t("abort")}
    </Button>
  );
}
