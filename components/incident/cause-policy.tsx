"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import type { CauseRule } from "../../server/core/index.ts";
import { apiGet, apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Select } from "../ui/field.tsx";
import { toast } from "../ui/toast.tsx";

const modes = ["off", "suggest", "automatic"] as const;

/** What happens by itself the next time this cause is named. */
export function CausePolicy({ cause }: { cause: string }) {
  const t = useTranslations("recovery");
  const say = useCodeText();
  const problem = useProblemText();
  const client = useQueryClient();
  const refusal = useActionRefusal("admin");
  const query = useQuery({
    queryKey: ["cause-policy"],
    queryFn: ({ signal }) =>
      apiGet<{ readonly causes: Readonly<Record<string, CauseRule>> }>("cause-policy", {}, signal),
  });
  const rule = query.data?.causes[cause];
  const change = useMutation({
    mutationFn: (mode: CauseRule["mode"]) =>
      apiSend("PUT", `cause-policy/${encodeURIComponent(cause)}`, { mode, above: rule?.above ?? 0.9 }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["cause-policy"] }),
    onError: (error) => {
      const { title, text } = problem(error);
      toast.error(title, { description: text });
    },
  });
  if (rule === undefined) return null;
  return (
    <div className="mt-3 flex flex-wrap items-center gap-2 border-t border-line pt-3 text-sm">
      <span className="text-muted">{t("policy", { cause: say("suspectCause", cause) })}</span>
      <Select
        aria-label={t("policyLabel")}
        value={rule.mode}
        disabled={refusal !== null || change.isPending}
        title={refusal ?? undefined}
        onChange={(event) => change.mutate(event.target.value as CauseRule["mode"])}
        className="h-7 w-auto text-xs"
        options={modes.map((mode) => ({
          value: mode,
          label: t(`mode.${mode}`, { percent: Math.round(rule.above * 100) }),
        }))}
      />
    </div>
  );
}
