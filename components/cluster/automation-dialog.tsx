"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useId, useState } from "react";
import type { ClusterView } from "../../server/protocol/index.ts";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";

/** Lets automatic failover act, or holds it, with a reason. */
export function AutomationDialog({
  kind,
  id,
  automation,
  onClose,
}: {
  kind: "clusters" | "redis";
  id: string;
  automation: ClusterView["automation"];
  onClose: () => void;
}) {
  const t = useTranslations("cluster");
  const all = useTranslations("ui");
  const problem = useProblemText();
  const form = useId();
  const [reason, setReason] = useState("");
  const state = automation.state === "on" ? "held" : "on";
  const change = useMutation({
    mutationFn: () => apiSend("PUT", `${kind}/${encodeURIComponent(id)}/automation`, { state, reason: reason.trim() }),
    onSuccess: onClose,
  });
  const refusal = reason.trim() === "" ? t("giveReason") : null;
  const failure = change.error === null ? null : problem(change.error);
  const verb = state === "held" ? t("hold") : t("turnOn");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal === null && !change.isPending) change.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      path={id}
      title={verb}
      description={state === "held" ? t("holdText") : t("turnOnText")}
      footer={
        <>
          <Button onClick={onClose}>{all("cancel")}</Button>
          <Button type="submit" form={form} variant="primary" busy={change.isPending} refusal={refusal}>
            {verb}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit}>
        <Field label={t("reason")} error={failure === null ? null : `${failure.title} ${failure.text}`}>
          {(ids) => (
            <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
