"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import type { InDoubtView } from "../../server/protocol/index.ts";
import { apiGet, apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { EmptyState, ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Field, Input } from "../ui/field.tsx";
import { Fact, Facts, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Elapsed, Mono, useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";

const pollMs = 1_000;
/** Older than this, nobody is about to end it by itself. */
const oldMs = 60_000;

function useInDoubt() {
  return useQuery({
    queryKey: ["in-doubt"],
    queryFn: ({ signal }) => apiGet<{ readonly items: readonly InDoubtView[] }>("in-doubt", {}, signal),
    refetchInterval: pollMs,
    retry: false,
  });
}

/**
 * Prepared transactions of the watched databases: who prepared them, how old they are, what they block, and the way to end them by hand.
 * `cluster`: only of this one, and nothing at all while there are none.
 */
export function InDoubtPanel({ cluster, className }: { cluster?: string; className?: string }) {
  const t = useTranslations("inDoubt");
  const query = useInDoubt();
  const problem = useProblemText();
  const [ending, setEnding] = useState<InDoubtView | null>(null);
  const items = (query.data?.items ?? []).filter((each) => cluster === undefined || each.cluster === cluster);
  if (cluster !== undefined && items.length === 0 && ending === null) return null;
  return (
    <Panel
      title={t("title")}
      aside={items.length > 0 ? t("count", { count: items.length }) : undefined}
      className={className}
    >
      {query.data === undefined ? (
        query.isError ? (
          <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
        ) : (
          <SkeletonLines lines={3} />
        )
      ) : items.length === 0 ? (
        <EmptyState title={t("none")} text={t("noneText")} />
      ) : (
        <ul aria-label={t("title")}>
          {items.map((each) => (
            <Row key={`${each.cluster}/${each.database}/${each.gid}`} item={each} onEnd={setEnding} />
          ))}
        </ul>
      )}
      {ending !== null && <EndDialog item={ending} onClose={() => setEnding(null)} />}
    </Panel>
  );
}

function Row({ item, onEnd }: { item: InDoubtView; onEnd: (item: InDoubtView) => void }) {
  const t = useTranslations("inDoubt");
  const format = useFormat();
  const gate = useActionRefusal("operator");
  const isOpen = item.decision !== null && item.decision !== "closed";
  const refusal = gate ?? (isOpen ? t(`decision.${item.decision}`) : null);
  const isLoud = item.waiting > 0 || item.ageMs > oldMs;
  return (
    <li className="flex flex-col gap-2 border-t border-line py-3 text-sm first:border-t-0 md:flex-row md:items-start md:gap-4">
      <StateGlyph state={isLoud ? "degraded" : "unknown"} size={14} />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-2">
          <Mono className="font-medium break-all">{cleanText(item.gid, 200)}</Mono>
          {item.change !== null && <Badge tone="accent">{item.change}</Badge>}
          <span className="text-muted">
            {cleanText(item.cluster, 40)} / {cleanText(item.database, 60)} · {cleanText(item.owner, 60)}
          </span>
        </div>
        <p className="mt-1">
          {t("prepared")} <Elapsed since={item.preparedAt} />
          {" · "}
          {item.relations.length > 0
            ? t("holdsRelations", { relations: item.relations.map((name) => cleanText(name, 80)).join(", ") })
            : t("holdsLocks", { count: item.lockCount })}
        </p>
        <p className={item.waiting > 0 ? "font-medium" : "text-muted"}>
          {item.waiting > 0
            ? t("blocks", { count: item.waiting, longest: format.duration(item.longestWaitMs ?? 0) })
            : t("blocksNobody")}
          {item.xidAge !== null && (
            <span className="font-normal text-muted"> · {t("holdsBack", { count: item.xidAge })}</span>
          )}
        </p>
        {item.decision !== null && (
          <p className="text-muted">
            {t(item.decided === null ? `decision.${item.decision}` : `past.${item.decided}`)}
          </p>
        )}
      </div>
      <div>
        <Button size="sm" refusal={refusal} onClick={() => onEnd(item)} aria-label={t("endOf", { gid: item.gid })}>
          {t("end")}
        </Button>
      </div>
    </li>
  );
}

type Decision = "commit" | "rollback";

/** A guided choice: what is known, what each way does, how to find out, then the name typed and a reason. */
function EndDialog({ item, onClose }: { item: InDoubtView; onClose: () => void }) {
  const t = useTranslations("inDoubt.dialog");
  const ui = useTranslations("ui");
  const problem = useProblemText();
  const client = useQueryClient();
  const gate = useActionRefusal("operator");
  const [decision, setDecision] = useState<Decision | null>(null);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const end = useMutation({
    mutationFn: () => {
      const { cluster, database, gid } = item;
      const body = { cluster, database, gid, decision, confirm: typed.trim(), reason: reason.trim() };
      return apiSend<{ resolved: boolean }>("POST", "in-doubt/resolve", body);
    },
    onSuccess: ({ resolved }) => {
      if (resolved) toast(t(decision === "commit" ? "committed" : "rolledBack", { gid: item.gid }));
      else toast.error(t("stillThere", { gid: item.gid }));
      void client.invalidateQueries({ queryKey: ["in-doubt"] });
      onClose();
    },
  });
  const missing =
    decision === null
      ? t("choose")
      : reason.trim() === ""
        ? t("giveReason")
        : typed.trim() !== item.gid
          ? t("typeName")
          : null;
  const refusal = gate ?? missing;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal === null) end.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      path={`${item.cluster} / ${item.database}`}
      title={t("title")}
      description={t("text")}
      footer={
        <>
          <Button onClick={onClose}>{ui("cancel")}</Button>
          <Button variant="danger" type="submit" form="end-in-doubt" refusal={refusal} busy={end.isPending}>
            {decision === "rollback" ? t("rollback") : t("commit")}
          </Button>
        </>
      }
    >
      <form id="end-in-doubt" onSubmit={submit} className="flex flex-col gap-4">
        {end.error != null && (
          <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
            {problem(end.error).text}
          </p>
        )}
        <Facts>
          <Fact name={t("gid")}>
            <Mono className="break-all">{cleanText(item.gid, 200)}</Mono>
          </Fact>
          <Fact name={t("owner")}>{cleanText(item.owner, 60)}</Fact>
          <Fact name={t("age")}>
            <Elapsed since={item.preparedAt} />
          </Fact>
        </Facts>
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 text-xs font-medium text-muted">{t("question")}</legend>
          {(["commit", "rollback"] as const).map((each) => (
            <label
              key={each}
              className="flex cursor-pointer items-start gap-2.5 rounded-md border border-line px-3 py-2 has-checked:border-accent"
            >
              <input
                type="radio"
                name="decision"
                className="mt-1 accent-accent"
                checked={decision === each}
                onChange={() => setDecision(each)}
              />
              <span>
                <span className="block font-medium">{t(`${each}Choice`)}</span>
                <span className="block text-xs text-muted">{t(`${each}Text`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Field label={t("reason")} hint={t("reasonHint")}>
          {(ids) => (
            <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
        <Field label={t("confirm", { gid: item.gid })}>
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
