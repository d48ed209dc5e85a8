"use client";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryState, useQueryStates } from "nuqs";
import { useState } from "react";
import type { AuditView } from "../../server/protocol/index.ts";
import { apiGet } from "../data/api.ts";
import { useAuditPage } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Button, buttonClasses } from "../ui/button.tsx";
import { EmptyState, ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Input } from "../ui/field.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { ClockTime, Mono, useFormat } from "../ui/text.tsx";

const pageSize = 50;
/** On a phone the rest stands below what was done. */
const onPhone = new Set(["at", "actor", "what"]);

/** Who did what, when, and what it changed; every entry holds the hash of the one before it. */
export function AuditScreen() {
  const t = useTranslations("audit.screen");
  const [filter, setFilter] = useQueryStates({
    actor: parseAsString.withDefault(""),
    subject: parseAsString.withDefault(""),
  });
  const [cursor, setCursor] = useQueryState("cursor", parseAsString);
  const query = useAuditPage({
    actor: filter.actor,
    subject: filter.subject,
    cursor: cursor ?? undefined,
    limit: pageSize,
  });
  const problem = useProblemText();
  const narrow = (patch: { actor?: string; subject?: string }) => {
    void setCursor(null);
    void setFilter(patch);
  };
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} actions={<ExportLinks />} />
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Input
          value={filter.actor}
          onChange={(event) => narrow({ actor: event.target.value })}
          placeholder={t("actor")}
          aria-label={t("actor")}
          className="max-w-48"
        />
        <Input
          value={filter.subject}
          onChange={(event) => narrow({ subject: event.target.value })}
          placeholder={t("subjectHint")}
          aria-label={t("subject")}
          className="max-w-56"
        />
        <VerifyChain />
      </div>
      <Panel bodyClassName="px-4 py-1">
        {query.isPending ? (
          <SkeletonLines lines={6} className="py-4" />
        ) : query.isError ? (
          <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
        ) : query.data.items.length === 0 ? (
          <EmptyState
            title={t("empty")}
            text={filter.actor !== "" || filter.subject !== "" ? t("emptyFilter") : undefined}
          />
        ) : (
          <Entries items={query.data.items} />
        )}
      </Panel>
      <div className="mt-3 flex justify-end gap-2">
        {cursor !== null && (
          <Button size="sm" onClick={() => void setCursor(null)}>
            {t("newest")}
          </Button>
        )}
        {query.data?.nextCursor != null && (
          <Button size="sm" onClick={() => void setCursor(query.data?.nextCursor ?? null)}>
            {t("older")}
          </Button>
        )}
      </div>
    </>
  );
}

function Entries({ items }: { items: readonly AuditView[] }) {
  const t = useTranslations("audit.screen");
  const say = useCodeText();
  // What the control plane decided by itself has a code as its reason, what a person did has words.
  const sayReason = (reason: string) =>
    /^[a-z]+(-[a-z]+)+$/.test(reason) ? say("verdict", reason) : cleanText(reason, 160);
  return (
    <Table label={t("title")} className="max-md:table-fixed">
      <thead>
        <tr>
          {(["seq", "at", "actor", "what", "subject", "change", "reason"] as const).map((column) => (
            <Th
              key={column}
              className={
                onPhone.has(column) ? (column === "what" ? undefined : "w-20 md:w-auto") : "hidden md:table-cell"
              }
            >
              {t(`column.${column}`)}
            </Th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((entry) => (
          <Tr key={entry.seq}>
            <Td className="num hidden text-muted md:table-cell">{entry.seq}</Td>
            <Td className="whitespace-nowrap">
              <ClockTime at={entry.at} />
            </Td>
            <Td className="[overflow-wrap:anywhere]">
              {cleanText(entry.actor, 60)} <span className="text-xs text-muted">{entry.actorRole}</span>
            </Td>
            <Td className="font-medium [overflow-wrap:anywhere]">
              {say("audit", entry.verb)}
              <span className="block text-xs font-normal break-words text-muted md:hidden">
                <Mono>{cleanText(entry.subject, 60)}</Mono> <Change before={entry.before} after={entry.after} />
              </span>
            </Td>
            <Td className="hidden md:table-cell">
              <Mono>{cleanText(entry.subject, 60)}</Mono>
            </Td>
            <Td className="hidden min-w-56 text-xs text-muted md:table-cell">
              <Change before={entry.before} after={entry.after} />
            </Td>
            <Td className="hidden max-w-64 text-muted md:table-cell">{sayReason(entry.reason)}</Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

/** Before → after, field by field; only what differs. Without a before the entry says what is. */
function Change({ before, after }: Pick<AuditView, "before" | "after">) {
  const format = useFormat();
  const show = (name: string, value: unknown): string => {
    if (value === undefined || value === null) return "–";
    if (typeof value === "number" && /At$/.test(name) && value > 1e12) return format.instant(value);
    return cleanText(typeof value === "string" ? value : JSON.stringify(value), 80);
  };
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const changed = names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
  if (before === null)
    return (
      <span className="break-words">
        {changed
          .filter((name) => !isEmpty(after?.[name]))
          .map((name) => `${cleanText(name, 30)} ${show(name, after?.[name])}`)
          .join(" · ")}
      </span>
    );
  return (
    <span className="break-words">
      {changed.map((name) => (
        <span key={name} className="block">
          {cleanText(name, 30)}: {show(name, before[name])} → {show(name, after?.[name])}
        </span>
      ))}
    </span>
  );
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

type Verification =
  | { readonly ok: true; readonly entries: number; readonly head: string }
  | { readonly ok: false; readonly brokenAt: number; readonly reason: string };

/** Recomputes the chain on the server and says what came out. */
function VerifyChain() {
  const t = useTranslations("audit.screen");
  const format = useFormat();
  const problem = useProblemText();
  const [state, setState] = useState<Verification | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    setFailure(null);
    try {
      setState(await apiGet<Verification>("audit/verify"));
    } catch (error) {
      setFailure(problem(error).text);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex items-center gap-3" aria-live="polite">
      <Button size="sm" busy={busy} onClick={() => void verify()}>
        {t("verify")}
      </Button>
      {failure !== null && <span className="text-danger-ink">{failure}</span>}
      {state !== null && (
        <span className="inline-flex items-center gap-1.5">
          <StateGlyph state={state.ok ? "healthy" : "down"} size={12} withWord />
          {state.ok ? t("verified", { count: format.number(state.entries) }) : t("broken", { at: state.brokenAt })}
          {state.ok && <Mono className="text-muted">{state.head.slice(0, 12)}</Mono>}
        </span>
      )}
    </div>
  );
}

function ExportLinks() {
  const t = useTranslations("audit.screen");
  return (
    <>
      <a href="/api/v1/audit/export?format=csv" className={buttonClasses()} download>
        {t("csv")}
      </a>
      <a href="/api/v1/audit/export?format=jsonl" className={buttonClasses()} download>
        {t("jsonLines")}
      </a>
    </>
  );
}
