"use client";
import { useTranslations } from "next-intl";
import { useState } from "react";
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
  const [reason, setReason] = useState("");
  const next = automation.state === "on" ? "held" : "on";
  const { busy, failure, send } = useChange(`${kind}/${encodeURIComponent(id)}/automation`, onClose);
  return (
    <Dialog
      open
      onClose={onClose}
      path={id}
      title={next === "held" ? t("hold") : t("turnOn")}
      description={next === "held" ? t("holdText") : t("turnOnText")}
      footer={
        <>
          <Button onClick={onClose}>{all("cancel")}</Button>
          <Button
            variant="primary"
            busy={busy}
            refusal={reason.trim() === "" ? t("giveReason") : null}
            onClick={() => void send({ state: next, reason: reason.trim() })}
          >
            {next === "held" ? t("hold") : t("turnOn")}
          </Button>
        </>
      }
    >
      <Field label={t("reason")} error={failure}>
        {(ids) => <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />}
      </Field>
    </Dialog>
  );
}

function useChange(path: string, onClose: () => void) {
  const problem = useProblemText();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const send = async (body: object) => {
    setBusy(true);
    try {
      await apiSend("PUT", path, body);
      onClose();
    } catch (error) {
      const { title, text } = problem(error);
      setFailure(`${title} ${text}`);
      setBusy(false);
    }
  };
  return { busy, failure, send };
}
