"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, type ReactNode, useId, useRef, useState } from "react";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";

/** The name typed and the reason given, trimmed. */
export interface Confirmed {
  readonly confirm: string;
  readonly reason: string;
}

interface Question {
  /** What has to be typed. */
  readonly name: string;
  /** On the button. */
  readonly verb: string;
  readonly danger?: boolean;
  /** Below this role the button says why it does nothing. */
  readonly needs?: "operator" | "admin";
  /** Why it can't be done now, in words; null or left out when it can. */
  readonly blocked?: string | null;
  readonly run: (values: Confirmed) => Promise<unknown>;
  readonly onDone?: () => void;
  /** Further fields, before the name. */
  readonly children?: ReactNode;
}

/** A name typed, a reason, and the button that begins: before anything that ends sessions, moves data, or can't be taken back. */
export function ConfirmForm({ onCancel, ...question }: Question & { readonly onCancel: () => void }) {
  const { fields, submit, button } = useQuestion(question);
  const ui = useTranslations("ui");
  return (
    <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
      {fields}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{ui("cancel")}</Button>
        {button}
      </div>
    </form>
  );
}

/** The same in a dialog of its own. */
export function ConfirmDialog({
  open,
  onClose,
  title,
  text,
  path,
  ...question
}: Question & {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly text: string;
  /** Above the title: where this is. */
  readonly path?: string;
}) {
  const id = useId();
  const { fields, submit, button } = useQuestion({ ...question, form: id });
  const ui = useTranslations("ui");
  return (
    <Dialog
      open={open}
      onClose={onClose}
      path={path}
      title={title}
      description={text}
      footer={
        <>
          <Button onClick={onClose}>{ui("cancel")}</Button>
          {button}
        </>
      }
    >
      <form id={id} onSubmit={submit} className="flex flex-col gap-4">
        {fields}
      </form>
    </Dialog>
  );
}

function useQuestion({
  name,
  verb,
  danger = false,
  needs = "operator",
  blocked,
  run,
  onDone,
  children,
  form,
}: Question & { readonly form?: string }) {
  const t = useTranslations("confirm");
  const problem = useProblemText();
  const problemText = (error: Error) => {
    const { title, text } = problem(error);
    return `${title} ${text}`;
  };
  const gate = useActionRefusal(needs);
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const first = useRef<HTMLInputElement>(null);
  const begin = useMutation({
    mutationFn: () => run({ confirm: typed.trim(), reason: reason.trim() }),
    onSuccess: () => {
      setTyped("");
      setReason("");
      onDone?.();
    },
  });
  const refusal =
    gate ??
    blocked ??
    (typed.trim() !== name ? t("typeName", { name }) : reason.trim() === "" ? t("giveReason") : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal !== null) first.current?.focus();
    else if (!begin.isPending) begin.mutate();
  };
  const fields = (
    <>
      {children}
      <Field label={t("label", { name })}>
        {(ids) => (
          <Input
            {...ids}
            ref={first}
            value={typed}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("reason")} hint={t("reasonHint")}>
        {(ids) => <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />}
      </Field>
      {begin.error !== null && (
        <p role="alert" className="rounded-md border border-danger px-3 py-2 text-danger-ink text-sm">
          {problemText(begin.error)}
        </p>
      )}
    </>
  );
  const button = (
    <Button type="submit" form={form} variant={danger ? "danger" : "primary"} refusal={refusal} busy={begin.isPending}>
      {verb}
    </Button>
  );
  return { fields, submit, button };
}
