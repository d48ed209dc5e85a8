"use client";
import { useMutation } from "@tanstack/react-query";
import { Undo2 } from "lucide-react";
import { useTranslations } from "next-intl";
import type { RolloutPlan } from "../../server/core/index.ts";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { toast } from "../ui/toast.tsx";
import { type Change, isOvertaken } from "./use-changes.ts";

/** As long as a release's one-click rollback is watched. */
const watchSeconds = 10;

/** One click: every node puts back what the file held before this change, by a change of its own. */
export function RevertButton({
  change,
  later,
  onShow,
}: {
  change: Change;
  later: readonly Change[];
  onShow: (id: string) => void;
}) {
  const t = useTranslations("changes");
  const problem = useProblemText();
  const gate = useActionRefusal("operator");
  const { service, item } = change;
  const revert = useMutation({
    mutationFn: async (file: string) => {
      const path = `releases/${encodeURIComponent(service)}`;
      const waves = [change.targets.filter(({ kind }) => kind === "program").map(({ node }) => node)];
      const body = { item: { kind: "config-revert", file, change: change.id }, protocol: "2pc", waves, watchSeconds };
      const { planHash } = await apiSend<RolloutPlan>("POST", `${path}/plan`, body);
      const why = { planHash, reason: t("rollbackReason"), confirm: service };
      return apiSend<{ change: string }>("POST", `${path}/rollout`, { ...body, ...why });
    },
    onSuccess: (begun) => {
      toast(t("begun", { change: begun.change }));
      onShow(begun.change);
    },
    onError: (error) => toast(problem(error).text),
  });
  if (change.phase !== "done" || (item.kind !== "config" && item.kind !== "config-revert")) return null;
  return (
    <Button
      size="sm"
      icon={<Undo2 size={13} aria-hidden />}
      refusal={gate ?? (isOvertaken(change, later) ? t("inverseSuperseded") : null)}
      busy={revert.isPending}
      onClick={() => revert.mutate(item.file)}
    >
      {t("putBack", { file: item.file })}
    </Button>
  );
}
