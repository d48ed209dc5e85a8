"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { TraceGroupDetail, TraceGroupView } from "../../server/protocol/index.ts";
import { apiSend } from "../data/api.ts";
import { useTraceList } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { HostileText, RelativeTime, useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";

/** Sends a change of the grouping, and says how it went. */
function useRegroup(verb: "merge" | "split", group: string, onDone: () => void) {
  const t = useTranslations("traces");
  const client = useQueryClient();
  const problem = useProblemText();
  return useMutation({
    mutationFn: (body: object) => apiSend("POST", `traces/${encodeURIComponent(group)}/${verb}`, body),
    onSuccess: async () => {
      toast(t(verb === "merge" ? "mergeDone" : "splitDone"));
      onDone();
      await client.invalidateQueries({ queryKey: ["trace"] });
      await client.invalidateQueries({ queryKey: ["traces"] });
    },
    onError: (error) => {
      const { title, text } = problem(error);
      toast.error(title, { description: text });
    },
  });
}

/** The fingerprints that a person put into this group, each with the way out. */
export function PartsPanel({ detail }: { detail: TraceGroupDetail }) {
  const t = useTranslations("traces");
  const format = useFormat();
  const refusal = useActionRefusal("operator");
  const split = useRegroup("split", detail.group.id, () => {});
  if (detail.parts.length < 2) return null;
  return (
    <Panel title={t("parts")} aside={t("partsCount", { count: detail.parts.length })}>
      <ul>
        {detail.parts.map((part) => (
          <li key={part.id} className="flex items-center gap-3 border-t border-line py-2 first:border-t-0">
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">
                <HostileText text={part.type} max={60} />
              </p>
              <p className="truncate text-xs text-muted">
                <HostileText text={part.message} max={120} />
              </p>
              <p className="num text-xs text-muted">
                {format.number(part.count)} × · <HostileText text={part.service} max={40} />
              </p>
            </div>
            {part.id !== detail.group.id && (
              <Button
                size="sm"
                refusal={refusal}
                busy={split.isPending}
                onClick={() => split.mutate({ part: part.id, reason: "" })}
              >
                {t("split")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Chooses the groups that are the same failure as this one. */
export function MergeDialog({ group, open, onClose }: { group: TraceGroupView; open: boolean; onClose: () => void }) {
  const t = useTranslations("traces");
  const ui = useTranslations("ui");
  const format = useFormat();
  const [search, setSearch] = useState("");
  const [reason, setReason] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const { data } = useTraceList({ q: search, limit: 50 }, open);
  const close = () => {
    setChosen([]);
    setReason("");
    onClose();
  };
  const merge = useRegroup("merge", group.id, close);
  const others = (data?.items ?? [])
    .filter((item) => item.id !== group.id)
    .sort((a, b) => Number(b.service === group.service) - Number(a.service === group.service));
  const toggle = (id: string) =>
    setChosen((ids) => (ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id]));
  return (
    <Dialog
      open={open}
      onClose={close}
      title={t("mergeTitle")}
      description={t("mergeText")}
      footer={
        <>
          <Button onClick={close}>{ui("cancel")}</Button>
          <Button
            variant="primary"
            refusal={chosen.length === 0 ? t("mergeNothing") : null}
            busy={merge.isPending}
            onClick={() => merge.mutate({ from: chosen, reason })}
          >
            {t("mergeConfirm", { count: chosen.length })}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Input
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          placeholder={t("search")}
          aria-label={t("search")}
        />
        <ul className="max-h-72 overflow-y-auto rounded-md border border-line">
          {others.length === 0 && <li className="px-3 py-4 text-center text-muted">{t("mergeNone")}</li>}
          {others.map((item) => (
            <li key={item.id} className="border-t border-line first:border-t-0">
              <label className="flex cursor-pointer items-center gap-3 px-3 py-2 hover:bg-raised">
                <input
                  type="checkbox"
                  className="accent-accent"
                  checked={chosen.includes(item.id)}
                  onChange={() => toggle(item.id)}
                />
                <span className="min-w-0 flex-1">
                  <span className="block truncate font-medium">
                    <HostileText text={item.type} max={60} />
                  </span>
                  <span className="block truncate text-xs text-muted">
                    <HostileText text={`${item.service} · ${item.message}`} max={120} />
                  </span>
                </span>
                <span className="num shrink-0 text-right text-xs text-muted">
                  {format.number(item.count)} ×
                  <span className="block">
                    <RelativeTime at={item.lastSeenAt} />
                  </span>
                </span>
              </label>
            </li>
          ))}
        </ul>
        <Field label={t("reason")}>
          {(ids) => (
            <Input {...ids} maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
      </div>
    </Dialog>
  );
}
