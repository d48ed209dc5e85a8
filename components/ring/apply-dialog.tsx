"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, type ReactNode, useState } from "react";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";

/** Typed name and reason before anything that moves keys or forgets a key space. */
export function ConfirmDialog({
  open,
  onClose,
  title,
  text,
  name,
  verb,
  danger,
  blocked,
  run,
  onDone,
  children,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  text: string;
  /** What has to be typed. */
  name: string;
  verb: string;
  danger?: boolean;
  /** Why it can't be done now, in words. */
  blocked?: string | null;
  run: (values: { confirm: string; reason: string }) => Promise<unknown>;
  onDone: () => void;
  children?: ReactNode;
}) {
  const t = useTranslations("ring");
  const say = useProblemText();
  const gate = useActionRefusal("operator");
  const [confirm, setConfirm] = useState("");
  const [reason, setReason] = useState("");
  const mutation = useMutation({
    mutationFn: () => run({ confirm, reason: reason.trim() }),
    onSuccess: () => {
      setConfirm("");
      setReason("");
      onDone();
    },
  });
  const refusal =
    gate ?? blocked ?? (confirm !== name ? t("typeName", { name }) : reason.trim() === "" ? t("giveReason") : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal === null && !mutation.isPending) mutation.mutate();
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      description={text}
      footer={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button
            variant={danger ? "danger" : "primary"}
            type="submit"
            form="ring-confirm"
            refusal={refusal}
            busy={mutation.isPending}
          >
            {verb}
          </Button>
        </>
      }
    >
      <form id="ring-confirm" onSubmit={submit} className="flex flex-col gap-4">
        {children}
        {mutation.error !== null && (
          <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
            {say(mutation.error).text}
          </p>
        )}
        <Field label={t("confirmLabel", { name })}>
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
        <Field label={t("reason")}>
          {(ids) => (
            <Input {...ids} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
