"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";
import { Fact, Facts } from "../ui/panel.tsx";
import { Mono, RelativeTime } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";
import type { PlacedLock } from "./use-locks.ts";

/** Takes a lock away from its holder, as it was seen when the dialog opened: a later holder keeps it. */
export function ReleaseDialog({ lock, onClose }: { lock: PlacedLock; onClose: () => void }) {
  const t = useTranslations("locks.releaseDialog");
  const ui = useTranslations("ui");
  const problem = useProblemText();
  const client = useQueryClient();
  const gate = useActionRefusal("operator");
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const { holder, name, provider, waiters } = lock;
  const release = useMutation({
    mutationFn: () =>
      apiSend("POST", "locks/evict", {
        provider,
        name,
        token: holder?.token,
        confirm: typed.trim(),
        reason: reason.trim(),
      }),
    onSuccess: () => {
      toast(t("done", { name }));
      void client.invalidateQueries({ queryKey: ["locks"] });
      onClose();
    },
  });
  const refusal =
    gate ?? (reason.trim() === "" ? t("giveReason") : typed.trim() !== name ? t("typeName", { name }) : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal === null) release.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      path={provider}
      title={t("title", { name })}
      description={t("text")}
      footer={
        <>
          <Button onClick={onClose}>{ui("cancel")}</Button>
          <Button variant="danger" type="submit" form="release-lock" refusal={refusal} busy={release.isPending}>
            {t("confirm")}
          </Button>
        </>
      }
    >
      <form id="release-lock" onSubmit={submit} className="flex flex-col gap-4">
        {release.error != null && (
          <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
            {problem(release.error).text}
          </p>
        )}
        <Facts>
          <Fact name={t("holder")}>{cleanText(holder?.label ?? "", 200)}</Fact>
          <Fact name={t("token")}>
            <Mono>{holder?.token}</Mono>
          </Fact>
          <Fact name={t("since")}>
            <RelativeTime at={holder?.since} />
          </Fact>
          <Fact name={t("next")}>{waiters[0] === undefined ? t("nobody") : cleanText(waiters[0].label, 200)}</Fact>
        </Facts>
        <Field label={t("reason")}>
          {(ids) => (
            <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
        <Field label={t("typeName", { name })}>
          {(ids) => (
            <Input
              {...ids}
              value={typed}
              autoComplete="off"
              spellCheck={false}
              className="font-mono"
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
