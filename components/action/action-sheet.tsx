"use client";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryStates } from "nuqs";
import { useProblemText } from "../data/use-problem-text.ts";
import { Sheet } from "../ui/dialog.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { ActionProgress } from "./action-progress.tsx";
import { PlanForm } from "./plan-form.tsx";
import { usePlan } from "./use-plan.ts";

const parsers = { action: parseAsString, to: parseAsString };

/** The sheet's address: `?action=switchover&to=pg-c` while planning, `?action=ACT-7` once it runs. */
export function useActionSheet() {
  const [state, set] = useQueryStates(parsers, { history: "push" });
  return {
    action: state.action,
    to: state.to,
    plan: (kind: "failover" | "switchover", to: string | null = null) => void set({ action: kind, to }),
    show: (actionId: string) => void set({ action: actionId, to: null }),
    close: () => void set({ action: null, to: null }),
  };
}

/** Preflight → typed confirmation → live steps → verification, in one sheet. */
export function ActionSheet({ cluster }: { cluster: string }) {
  const t = useTranslations("action");
  const sheet = useActionSheet();
  const kind = sheet.action === "failover" || sheet.action === "switchover" ? sheet.action : null;
  const plan = usePlan(cluster, kind ?? "switchover", sheet.to, kind !== null);
  const problem = useProblemText();
  const target = plan.data?.target ?? sheet.to;
  const title =
    kind === null
      ? (sheet.action ?? "")
      : t(kind === "switchover" ? "switchoverTitle" : "failoverTitle", { node: target ?? "…" });
  return (
    <Sheet
      open={sheet.action !== null}
      onClose={sheet.close}
      path={`${t("clusters")} / ${cluster}`}
      title={title}
      width="36rem"
    >
      {kind === null ? (
        sheet.action !== null && <ActionProgress id={sheet.action} />
      ) : plan.isError ? (
        <ErrorState {...problem(plan.error)} onRetry={() => void plan.refetch()} />
      ) : plan.data === undefined || plan.data.kind !== kind ? (
        <SkeletonLines lines={8} />
      ) : (
        <PlanForm
          key={kind}
          plan={plan.data}
          onChoose={(node) => sheet.plan(kind, node)}
          onCancel={sheet.close}
          onStarted={sheet.show}
        />
      )}
    </Sheet>
  );
}
