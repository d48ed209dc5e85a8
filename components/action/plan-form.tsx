"use client";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { PlanView } from "../../server/protocol/index.ts";
import { apiSend } from "../data/api.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Field, Input } from "../ui/field.tsx";
import { CopyLine, useFormat } from "../ui/text.tsx";
import { type Confirmed, ConfirmForm } from "./confirmation.tsx";
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
      <Confirmation plan={plan} onCancel={onCancel} onStarted={onStarted} />
    </>
  );
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
  onCancel,
  onStarted,
}: {
  plan: PlanView;
  onCancel: () => void;
  onStarted: (actionId: string) => void;
}) {
  const t = useTranslations("action");
  const all = useTranslations();
  const [down, setDown] = useState("");
  // Only a person can say that this node takes no writes any more.
  const silent = plan.fencing === "operator" ? plan.before.primary : null;
  const blocking = plan.checks.find((check) => check.status === "block");
  const blocked =
    (blocking !== undefined ? t("blocked", { check: all(`check.${blocking.code}` as "check.quorum") }) : null) ??
    (silent !== null && down !== silent ? t("typeDown", { node: silent }) : null);
  const run = async (values: Confirmed) => {
    const { kind, target, planHash } = plan;
    const { action } = await apiSend<{ action?: string }>(
      "POST",
      `clusters/${encodeURIComponent(plan.cluster)}/actions`,
      {
        kind,
        target,
        planHash,
        ...values,
        ...(plan.fencing === null ? {} : { acceptLossBytes: plan.possibleLossBytes }),
        ...(silent === null ? {} : { confirmDown: down }),
      },
    );
    if (action !== undefined) onStarted(action);
  };
  return (
    <ConfirmForm
      name={plan.cluster}
      blocked={blocked}
      danger={plan.kind === "failover"}
      verb={t(plan.kind === "failover" ? "runFailover" : "runSwitchover", { node: plan.target ?? "–" })}
      run={run}
      onCancel={onCancel}
    >
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
    </ConfirmForm>
  );
}
