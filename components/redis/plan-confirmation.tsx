"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/field.tsx";

/** The cluster's name typed, a reason, and the button that begins what the sheet shows. */
export function PlanConfirmation({
  cluster,
  runnable,
  verb,
  run,
  onCancel,
}: {
  cluster: string;
  /** False while a check blocks it. */
  runnable: boolean;
  verb: string;
  run: (values: { readonly confirm: string; readonly reason: string }) => Promise<unknown>;
  onCancel: () => void;
}) {
  const t = useTranslations("redis");
  const ring = useTranslations("ring");
  const problem = useProblemText();
  const gate = useActionRefusal("operator");
  const [confirm, setConfirm] = useState("");
  const [reason, setReason] = useState("");
  const begin = useMutation({ mutationFn: () => run({ confirm, reason: reason.trim() }) });
  const refusal =
    gate ??
    (runnable ? null : t("blocked")) ??
    (confirm !== cluster ? ring("typeName", { name: cluster }) : reason.trim() === "" ? ring("giveReason") : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal === null && !begin.isPending) begin.mutate();
  };
  return (
    <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
      {begin.error !== null && (
        <p role="alert" className="rounded-md border border-danger px-3 py-2">
          {problem(begin.error).text}
        </p>
      )}
      <Field label={ring("confirmLabel", { name: cluster })}>
        {(ids) => (
          <Input
            {...ids}
            value={confirm}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setConfirm(event.target.value)}
          />
        )}
      </Field>
      <Field label={ring("reason")}>
        {(ids) => <Input {...ids} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{ring("cancel")}</Button>
        <Button type="submit" variant="primary" refusal={refusal} busy={begin.isPending}>
          {verb}
        </Button>
      </div>
    </form>
  );
}
