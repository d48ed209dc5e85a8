"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryStates } from "nuqs";
import { useState } from "react";
import type { FailoverMode } from "../../server/core/index.ts";
import type { RedisFailoverPlanView, RedisView } from "../../server/protocol/index.ts";
import { ActionProgress } from "../action/action-progress.tsx";
import { ConfirmForm } from "../action/confirmation.tsx";
import { PlanChecks } from "../action/plan-checks.tsx";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { Sheet } from "../ui/dialog.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { CopyLine } from "../ui/text.tsx";

const modes = ["graceful", "force", "takeover"] as const;

/** The sheet's address: `?failover=redis-b-2` while planning, `?action=ACT-7` once it runs. */
export function useFailoverSheet() {
  const [state, set] = useQueryStates({ failover: parseAsString, action: parseAsString }, { history: "push" });
  return {
    ...state,
    plan: (server: string) => void set({ failover: server, action: null }),
    show: (action: string) => void set({ failover: null, action }),
    close: () => void set({ failover: null, action: null }),
  };
}

/** Makes a replica the master: every check judged anew, the typed confirmation, and the steps as they come. */
export function FailoverSheet({ redis }: { redis: RedisView }) {
  const t = useTranslations("redis");
  const { failover, action, show, close } = useFailoverSheet();
  return (
    <Sheet
      open={failover !== null || action !== null}
      onClose={close}
      path={`${t("clusters")} / ${redis.id}`}
      title={failover === null ? (action ?? "") : t("failoverTitle", { server: failover })}
      width="36rem"
    >
      {action !== null ? (
        <ActionProgress id={action} />
      ) : (
        failover !== null && <Planning redis={redis} target={failover} onStarted={show} onCancel={close} />
      )}
    </Sheet>
  );
}

function Planning({
  redis,
  target,
  onStarted,
  onCancel,
}: {
  redis: RedisView;
  target: string;
  onStarted: (action: string) => void;
  onCancel: () => void;
}) {
  const t = useTranslations("redis");
  const problem = useProblemText();
  const [mode, setMode] = useState<FailoverMode>("graceful");
  const path = `redis/${encodeURIComponent(redis.id)}/failover`;
  const plan = useQuery({
    queryKey: ["redis-failover", redis.id, target, mode],
    queryFn: () => apiSend<RedisFailoverPlanView>("POST", `${path}/plan`, { target, mode }),
    // Checks are judged anew while the sheet is open.
    refetchInterval: 1_000,
    placeholderData: keepPreviousData,
  });
  if (plan.isError) return <ErrorState {...problem(plan.error)} onRetry={() => void plan.refetch()} />;
  if (plan.data === undefined) return <SkeletonLines lines={8} />;
  const { planHash, from, runnable, command } = plan.data;
  const run = async (values: { confirm: string; reason: string }) => {
    const body = { target, mode, planHash, ...values };
    onStarted((await apiSend<{ action: string }>("POST", path, body)).action);
  };
  return (
    <>
      <p className="pb-3 text-muted">
        {t(redis.mode === "cluster" ? "failoverText" : "sealText", { server: target, from: from ?? "–" })}
      </p>
      {redis.mode === "cluster" && <Modes mode={mode} onChange={setMode} />}
      <PlanChecks plan={plan.data} />
      <div className="mt-3">
        <CopyLine text={command} label={t("command")} />
      </div>
      <ConfirmForm
        name={redis.id}
        blocked={runnable && plan.data.mode === mode ? null : t("blocked")}
        verb={t("makeMasterRun", { server: target })}
        run={run}
        onCancel={onCancel}
      />
    </>
  );
}

function Modes({ mode, onChange }: { mode: FailoverMode; onChange: (mode: FailoverMode) => void }) {
  const t = useTranslations("redis");
  return (
    <fieldset className="flex flex-col pb-3">
      <legend className="pb-1 text-xs font-semibold text-muted">{t("failoverMode")}</legend>
      {modes.map((each) => (
        <label key={each} className="flex items-baseline gap-2.5 border-t border-line py-1.5">
          <input
            type="radio"
            name="mode"
            checked={mode === each}
            onChange={() => onChange(each)}
            className="focus-ring translate-y-0.5 accent-accent"
          />
          <span>
            <span className="font-medium">{t(`mode.${each}`)}</span>{" "}
            <span className="text-muted">{t(`modeText.${each}`)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
