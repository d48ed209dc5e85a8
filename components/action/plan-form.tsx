"use client";
import { useTranslations } from "next-intl";
import { type FormEvent, useRef, useState } from "react";
import type { PlanView } from "../../server/protocol/index.ts";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/field.tsx";
import { CopyLine, useFormat } from "../ui/text.tsx";
import { PlanCandidates, PlanChecks } from "./plan-checks.tsx";

/** Preflight and typed confirmation. What is confirmed is the plan that is on screen: its hash goes along. */
export function PlanForm({
  plan,
  onChoose,
  onCancel,
  onStarted,
}: {
  plan: PlanView;
  onChoose: (node: string) => void;
  onCancel: () => void;
  onStarted: (actionId: string) => void;
}) {
  const t = useTranslations("action");
  const format = useFormat();
  const say = useCodeText();
  const { failure, busy, start } = useStart(plan, onStarted);
  return (
    <>
      <p className="text-muted">
        {plan.kind === "switchover"
          ? t("switchoverText", { time: format.duration(plan.expectedUnavailableMs) })
          : t("failoverText")}{" "}
        {plan.sessions !== null && t("sessions", { count: plan.sessions })}{" "}
        {plan.possibleLossBytes === null ? (
          <strong>{t("mayLoseUnknown")}</strong>
        ) : plan.possibleLossBytes > 0 ? (
          <strong>{t("mayLose", { bytes: format.bytes(plan.possibleLossBytes) })}</strong>
        ) : (
          t("losesNothing")
        )}
      </p>
      <BeforeAfter plan={plan} />
      <PlanChecks plan={plan} />
      <PlanCandidates plan={plan} onChoose={onChoose} />
      <p className="my-3 text-muted">{say("wayBack", plan.wayBack.code, plan.wayBack.data)}</p>
      <CopyLine text={plan.command} label={t("command")} />
      <Confirmation plan={plan} busy={busy} failure={failure} onCancel={onCancel} onConfirm={start} />
    </>
  );
}

function useStart(plan: PlanView, onStarted: (actionId: string) => void) {
  const problem = useProblemText();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const start = async (confirm: string, reason: string, confirmDown: string) => {
    setBusy(true);
    setFailure(null);
    try {
      const { kind, target, planHash } = plan;
      const answer = await apiSend<{ action?: string }>(
        "POST",
        `clusters/${encodeURIComponent(plan.cluster)}/actions`,
        {
          kind,
          target,
          planHash,
          reason,
          confirm,
          ...(plan.fencing === null ? {} : { acceptLossBytes: plan.possibleLossBytes }),
          ...(plan.fencing === "operator" ? { confirmDown } : {}),
        },
      );
      if (answer.action !== undefined) onStarted(answer.action);
    } catch (error) {
      const { title, text } = problem(error);
      setFailure(`${title} ${text}`);
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, start };
}

function BeforeAfter({ plan }: { plan: PlanView }) {
  const t = useTranslations("action");
  return (
    <div className="my-3 grid grid-cols-[1fr_1.5rem_1fr] items-center gap-1">
      <Situation
        title={t("before", { epoch: plan.before.epoch })}
        primary={plan.before.primary}
        sync={plan.before.sync}
      />
      <span aria-hidden className="text-center text-muted">
        →
      </span>
      <Situation
        title={t("after", { epoch: plan.after?.epoch ?? "–" })}
        primary={plan.after?.primary ?? null}
        sync={plan.after?.sync ?? []}
      />
    </div>
  );
}

function Situation({ title, primary, sync }: { title: string; primary: string | null; sync: readonly string[] }) {
  const t = useTranslations("action");
  return (
    <div className="rounded-md border border-line bg-well px-3 py-2">
      <p className="text-xs text-muted">{title}</p>
      <p className="font-medium">{t("isPrimary", { node: primary ?? "–" })}</p>
      <p>{t("isSync", { nodes: sync.length === 0 ? "–" : sync.join(", ") })}</p>
    </div>
  );
}

function Confirmation({
  plan,
  busy,
  failure,
  onCancel,
  onConfirm,
}: {
  plan: PlanView;
  busy: boolean;
  failure: string | null;
  onCancel: () => void;
  onConfirm: (confirm: string, reason: string, confirmDown: string) => void;
}) {
  const t = useTranslations("action");
  const all = useTranslations();
  const gate = useActionRefusal("operator");
  const [confirm, setConfirm] = useState("");
  const [reason, setReason] = useState("");
  const [down, setDown] = useState("");
  // Only a person can say that this node takes no writes any more.
  const silent = plan.fencing === "operator" ? plan.before.primary : null;
  const first = useRef<HTMLInputElement>(null);
  const blocked = plan.checks.find((check) => check.status === "block");
  const refusal =
    gate ??
    (blocked !== undefined ? t("blocked", { check: all(`check.${blocked.code}` as "check.quorum") }) : null) ??
    (confirm !== plan.cluster ? t("typeName", { cluster: plan.cluster }) : null) ??
    (silent !== null && down !== silent ? t("typeDown", { node: silent }) : null) ??
    (reason.trim() === "" ? t("giveReason") : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal === null && !busy) onConfirm(confirm, reason.trim(), down);
    else first.current?.focus();
  };
  return (
    <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
      <Field label={t("confirmLabel", { cluster: plan.cluster })}>
        {(ids) => (
          <Input
            {...ids}
            ref={first}
            value={confirm}
            onChange={(event) => setConfirm(event.target.value)}
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Field>
      {silent !== null && (
        <Field label={t("downLabel", { node: silent })} hint={t("downHint", { node: silent })}>
          {(ids) => (
            <Input
              {...ids}
              value={down}
              onChange={(event) => setDown(event.target.value)}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
      )}
      <Field label={t("reason")} hint={t("reasonHint")}>
        {(ids) => <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />}
      </Field>
      {failure !== null && (
        <p role="alert" className="rounded-md border border-danger px-3 py-2 text-danger-ink">
          {failure}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{all("ui.cancel")}</Button>
        <Button type="submit" variant={plan.kind === "failover" ? "danger" : "primary"} refusal={refusal} busy={busy}>
          {t(plan.kind === "failover" ? "runFailover" : "runSwitchover", { node: plan.target ?? "–" })}
        </Button>
      </div>
    </form>
  );
}
