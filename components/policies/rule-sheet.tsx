"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import type { RuleNumbers } from "../../server/core/index.ts";
import type { ReplayView, RuleView } from "../../server/protocol/index.ts";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Sheet } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";
import { CopyLine, useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";
import { ReplayPanel } from "./replay-panel.tsx";
import { fromField, levelUnit, metricUnit, toField } from "./rule-units.ts";
import { useLevelText } from "./use-level-text.ts";

const minuteMs = 60_000;

interface Draft {
  readonly enabled: boolean;
  readonly raise: string;
  readonly clear: string;
  readonly raiseMinutes: string;
  readonly clearMinutes: string;
  readonly floor: string;
}

function toDraft(rule: RuleView, numbers: RuleNumbers): Draft {
  const unit = levelUnit(rule);
  return {
    enabled: numbers.enabled,
    raise: toField(numbers.raise, unit),
    clear: toField(numbers.clear, unit),
    raiseMinutes: toField(numbers.raiseForMs / minuteMs, "number"),
    clearMinutes: toField(numbers.clearForMs / minuteMs, "number"),
    floor: numbers.floor === null ? "" : toField(numbers.floor, metricUnit(rule.metric)),
  };
}

/** Null while a field holds no number. */
function readDraft(rule: RuleView, draft: Draft): RuleNumbers | null {
  const unit = levelUnit(rule);
  const raise = fromField(draft.raise, unit);
  const clear = fromField(draft.clear, unit);
  const raiseFor = fromField(draft.raiseMinutes, "number");
  const clearFor = fromField(draft.clearMinutes, "number");
  const floor = rule.kind === "anomaly" ? fromField(draft.floor, metricUnit(rule.metric)) : null;
  if (raise === null || clear === null || raiseFor === null || clearFor === null) return null;
  if (rule.kind === "anomaly" && floor === null) return null;
  const times = { raiseForMs: Math.round(raiseFor * minuteMs), clearForMs: Math.round(clearFor * minuteMs) };
  return { enabled: draft.enabled, raise, clear, floor, ...times };
}

const fields = ["enabled", "raise", "clear", "raiseForMs", "clearForMs", "floor"] as const;

/** A rule's numbers: change them, see what they would have said, see the difference, save. */
export function RuleSheet({ rule, onClose }: { rule: RuleView; onClose: () => void }) {
  const t = useTranslations("policies");
  const problem = useProblemText();
  const client = useQueryClient();
  const refusal = useActionRefusal("operator");
  const [draft, setDraft] = useState(() => toDraft(rule, rule));
  const [reason, setReason] = useState("");
  const numbers = readDraft(rule, draft);
  const changed = numbers === null ? [] : fields.filter((field) => numbers[field] !== rule[field]);
  const save = useMutation({
    mutationFn: (body: { numbers: RuleNumbers | null }) => apiSend("PUT", `policies/${rule.id}`, { ...body, reason }),
    onSuccess: async () => {
      toast(t("saved"));
      await client.invalidateQueries({ queryKey: ["policies"] });
      onClose();
    },
  });
  const replay = useMutation({
    mutationFn: (proposed: RuleNumbers) =>
      apiSend<ReplayView>("POST", `policies/${rule.id}/replay`, { numbers: proposed, days: 3 }),
  });
  const set = (patch: Partial<Draft>) => setDraft((before) => ({ ...before, ...patch }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (numbers !== null && changed.length > 0 && refusal === null) save.mutate({ numbers });
  };
  const blocked = refusal ?? (numbers === null ? t("notANumber") : changed.length === 0 ? t("nothingChanged") : null);
  return (
    <Sheet
      open
      onClose={onClose}
      title={t(`rule.${rule.id}.name`)}
      description={t(`rule.${rule.id}.text`)}
      width="38rem"
      footer={
        <>
          {rule.changedBy !== null && (
            <Button refusal={refusal} busy={save.isPending} onClick={() => save.mutate({ numbers: null })}>
              {t("reset")}
            </Button>
          )}
          <Button variant="primary" type="submit" form="rule" refusal={blocked} busy={save.isPending}>
            {t("save")}
          </Button>
        </>
      }
    >
      <form id="rule" onSubmit={submit} className="flex flex-col gap-5">
        {save.error != null && (
          <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
            {problem(save.error).text}
          </p>
        )}
        <NumberFields rule={rule} draft={draft} set={set} />
        <Difference rule={rule} numbers={numbers} changed={changed} />
        <ReplayPanel
          result={replay.data ?? null}
          error={replay.error === null ? null : problem(replay.error).text}
          busy={replay.isPending}
          isChanged={changed.length > 0}
          onRun={() => numbers !== null && replay.mutate(numbers)}
        />
        <Field label={t("reason")}>
          {(ids) => (
            <Input {...ids} maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
        {numbers !== null && changed.length > 0 && (
          <CopyLine label={t("command")} text={commandLine(rule, numbers, changed)} />
        )}
      </form>
    </Sheet>
  );
}

function NumberFields({ rule, draft, set }: { rule: RuleView; draft: Draft; set: (patch: Partial<Draft>) => void }) {
  const t = useTranslations("policies");
  const unit = t(`unit.${levelUnit(rule)}`);
  const inputs = [
    { name: "raise" as const, label: t(`field.raise.${rule.direction}`), unit },
    { name: "raiseMinutes" as const, label: t("field.for"), unit: t("unit.minutes") },
    { name: "clear" as const, label: t(`field.clear.${rule.direction}`), unit },
    { name: "clearMinutes" as const, label: t("field.for"), unit: t("unit.minutes") },
    ...(rule.kind === "anomaly"
      ? [{ name: "floor" as const, label: t("field.floor"), unit: t(`unit.${metricUnit(rule.metric)}`) }]
      : []),
  ];
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {inputs.map((input) => (
        <Field key={input.name} label={`${input.label} (${input.unit})`}>
          {(ids) => (
            <Input
              {...ids}
              name={input.name}
              inputMode="decimal"
              value={draft[input.name]}
              onChange={(event) => set({ [input.name]: event.target.value })}
              className="num"
            />
          )}
        </Field>
      ))}
      <label className="flex items-center gap-2 sm:col-span-2">
        <input
          type="checkbox"
          className="accent-accent"
          checked={draft.enabled}
          onChange={(event) => set({ enabled: event.target.checked })}
        />
        {t("field.enabled")}
      </label>
    </div>
  );
}

/** What saving changes, and what the defaults are. */
function Difference({
  rule,
  numbers,
  changed,
}: {
  rule: RuleView;
  numbers: RuleNumbers | null;
  changed: readonly (typeof fields)[number][];
}) {
  const t = useTranslations("policies");
  const ui = useTranslations("ui");
  const format = useFormat();
  const level = useLevelText();
  const show = (field: (typeof fields)[number], from: RuleNumbers): string => {
    const value = from[field];
    if (typeof value === "boolean") return value ? ui("yes") : ui("no");
    if (value === null) return "–";
    if (field === "raiseForMs" || field === "clearForMs") return format.duration(value);
    return level(value, field === "floor" ? metricUnit(rule.metric) : levelUnit(rule));
  };
  if (numbers === null || changed.length === 0) return null;
  return (
    <section aria-label={t("difference")} className="rounded-md border border-line px-3 py-2">
      <h3 className="mb-1 text-xs font-semibold text-muted">{t("difference")}</h3>
      <ul>
        {changed.map((field) => (
          <li key={field} className="num flex flex-wrap gap-x-2">
            <span className="min-w-36 text-muted">{t(`diff.${field}`)}</span>
            <span className="text-muted line-through">{show(field, rule)}</span>
            <span aria-hidden>→</span>
            <span className="font-semibold">{show(field, numbers)}</span>
            <span className="text-xs text-muted">{t("default", { value: show(field, rule.defaults) })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function commandLine(rule: RuleView, numbers: RuleNumbers, changed: readonly (typeof fields)[number][]): string {
  const options: Record<(typeof fields)[number], string> = {
    enabled: numbers.enabled ? "--on" : "--off",
    raise: `--raise ${numbers.raise}`,
    clear: `--clear ${numbers.clear}`,
    raiseForMs: `--raise-for ${numbers.raiseForMs / 1_000}`,
    clearForMs: `--clear-for ${numbers.clearForMs / 1_000}`,
    floor: `--floor ${numbers.floor ?? 0}`,
  };
  return `holdfast policies set ${rule.id} ${changed.map((field) => options[field]).join(" ")} --reason "…"`;
}
