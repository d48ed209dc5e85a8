"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { serverNow } from "../live/use-now.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input, Select } from "../ui/field.tsx";
import { toast } from "../ui/toast.tsx";

const HOUR_MS = 3_600_000;
const ends: Record<string, number | null> = { "1h": HOUR_MS, "4h": 4 * HOUR_MS, "24h": 24 * HOUR_MS, open: null };

/** Takes a node or cluster out of watch: mute alerts, hold automation, or both, with a reason and an end. */
export function MaintenanceDialog({
  open,
  onClose,
  kind,
  id,
}: {
  open: boolean;
  onClose: () => void;
  kind: "nodes" | "clusters";
  id: string;
}) {
  const t = useTranslations("maintenance");
  const say = useProblemText();
  const [reason, setReason] = useState("");
  const [end, setEnd] = useState("1h");
  const [muteAlerts, setMute] = useState(true);
  const [holdAutomation, setHold] = useState(true);
  const begin = useMutation({
    mutationFn: () => {
      const forMs = ends[end] ?? null;
      const until = forMs === null ? null : Math.round(serverNow() + forMs);
      return apiSend("PUT", `${kind}/${encodeURIComponent(id)}/maintenance`, {
        maintenance: { muteAlerts, holdAutomation, reason, until },
      });
    },
    onSuccess: () => {
      toast(t("begun", { id }));
      onClose();
    },
  });
  const missing =
    reason.trim() === "" ? t("reasonMissing") : !muteAlerts && !holdAutomation ? t("nothingChosen") : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (missing === null) begin.mutate();
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("title", { id })}
      description={t("text")}
      footer={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button variant="primary" type="submit" form="maintenance" refusal={missing} busy={begin.isPending}>
            {t("begin")}
          </Button>
        </>
      }
    >
      <form id="maintenance" onSubmit={submit} className="flex flex-col gap-4">
        {begin.error != null && (
          <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
            {say(begin.error).text}
          </p>
        )}
        <Field label={t("reason")}>
          {(ids) => (
            <Input {...ids} maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
        <Field label={t("until")}>
          {(ids) => (
            <Select
              {...ids}
              value={end}
              onChange={(event) => setEnd(event.target.value)}
              options={Object.keys(ends).map((value) => ({ value, label: t(`end.${value}`) }))}
            />
          )}
        </Field>
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={muteAlerts}
            onChange={(event) => setMute(event.target.checked)}
            className="accent-accent"
          />
          {t("mute")}
        </label>
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={holdAutomation}
            onChange={(event) => setHold(event.target.checked)}
            className="accent-accent"
          />
          {t("hold")}
        </label>
      </form>
    </Dialog>
  );
}

/** Ends a maintenance at once. */
export function useEndMaintenance(kind: "nodes" | "clusters", id: string) {
  const t = useTranslations("maintenance");
  const say = useProblemText();
  return useMutation({
    mutationFn: () => apiSend("PUT", `${kind}/${encodeURIComponent(id)}/maintenance`, { maintenance: null }),
    onSuccess: () => toast(t("ended", { id })),
    onError: (error) => {
      const { title, text } = say(error);
      toast.error(title, { description: text });
    },
  });
}
