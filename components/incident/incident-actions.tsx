"use client";
import { useQueryClient } from "@tanstack/react-query";
import { Check, Download, MessageSquarePlus } from "lucide-react";
import { useLocale, useTranslations } from "next-intl";
import { useState } from "react";
import type { IncidentView } from "../../server/protocol/index.ts";
import { apiSend, apiText } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { toast } from "../ui/toast.tsx";

/** Sends a change of an incident and says what went wrong in words. */
export function useIncidentCommand(id: string): {
  busy: boolean;
  run: (verb: string, body?: object) => Promise<boolean>;
} {
  const client = useQueryClient();
  const problem = useProblemText();
  const [busy, setBusy] = useState(false);
  const run = async (verb: string, body: object = {}) => {
    setBusy(true);
    try {
      await apiSend("POST", `incidents/${encodeURIComponent(id)}/${verb}`, body);
      await client.invalidateQueries({ queryKey: ["incident", id] });
      return true;
    } catch (error) {
      const { title, text } = problem(error);
      toast.error(title, { description: text });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, run };
}

/** The header's buttons: what the phase allows, the next one loud. */
export function IncidentActions({ incident, onNote }: { incident: IncidentView; onNote: () => void }) {
  const t = useTranslations("incident");
  const refusal = useActionRefusal("operator");
  const { busy, run } = useIncidentCommand(incident.id);
  const verb = nextVerb(incident);
  return (
    <>
      <ExportMenu id={incident.id} />
      <Button icon={<MessageSquarePlus size={15} aria-hidden />} refusal={refusal} onClick={onNote}>
        {t("addNote")}
      </Button>
      {incident.resolvedAt !== null && (
        <Button refusal={refusal} busy={busy} onClick={() => void run("reopen", { reason: t("reopenReason") })}>
          {t("reopen")}
        </Button>
      )}
      {verb !== null && (
        <Button
          variant="primary"
          icon={<Check size={15} aria-hidden />}
          refusal={refusal}
          busy={busy}
          onClick={() => void run(verb)}
        >
          {t(verb)}
        </Button>
      )}
    </>
  );
}

function nextVerb(incident: IncidentView): "acknowledge" | "close" | null {
  if (incident.acknowledgedAt === null && incident.closedAt === null) return "acknowledge";
  return incident.resolvedAt !== null && incident.closedAt === null ? "close" : null;
}

function ExportMenu({ id }: { id: string }) {
  const t = useTranslations("incident");
  const locale = useLocale();
  const problem = useProblemText();
  const save = async (format: "markdown" | "json") => {
    try {
      const text = await apiText(`incidents/${encodeURIComponent(id)}/report`, { format, locale });
      download(
        `${id}.${format === "markdown" ? "md" : "json"}`,
        text,
        format === "markdown" ? "text/markdown" : "application/json",
      );
    } catch (error) {
      const { title, text } = problem(error);
      toast.error(title, { description: text });
    }
  };
  return (
    <Menu trigger={<Button icon={<Download size={15} aria-hidden />}>{t("export")}</Button>}>
      <MenuItem onSelect={() => void save("markdown")}>Markdown</MenuItem>
      <MenuItem onSelect={() => void save("json")}>JSON</MenuItem>
    </Menu>
  );
}

function download(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
