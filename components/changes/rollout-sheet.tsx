"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { RolloutPlan } from "../../server/core/index.ts";
import type { ProgramView } from "../../server/protocol/index.ts";
import { type Confirmed, ConfirmForm } from "../action/confirmation.tsx";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { useEntities } from "../live/use-entities.ts";
import { Button } from "../ui/button.tsx";
import { Sheet } from "../ui/dialog.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Field, Input, Select } from "../ui/field.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { CopyLine } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";
import { type Draft, toBody, useRolloutPlan } from "./use-changes.ts";

const protocols = ["2pc", "3pc", "saga"] as const;
const watches = [5, 15, 60, 300, 900];
const glyphs = { pass: "healthy", warn: "degraded", block: "down" } as const;

/** What to roll out, by which protocol, in which waves; every check live; then the typed confirmation. */
export function RolloutSheet({
  program,
  version,
  onClose,
  onStarted,
}: {
  program: ProgramView;
  version: string;
  onClose: () => void;
  onStarted: (change: string) => void;
}) {
  const t = useTranslations("changes");
  const problem = useProblemText();
  const nodes = program.nodes.map(({ node }) => node);
  const [draft, setDraft] = useState<Draft>({
    kind: "release",
    version,
    file: program.nodes[0]?.status.files[0]?.name ?? "",
    content: "",
    protocol: "2pc",
    waves: nodes.length < 2 ? nodes.join("") : `${nodes[0]} / ${nodes.slice(1).join(", ")}`,
    watchSeconds: 15,
    sql: "",
    cluster: "",
    database: "",
  });
  const plan = useRolloutPlan(program.service, draft);
  return (
    <Sheet
      open
      onClose={onClose}
      path={t("title")}
      title={t("sheet.title", { service: program.service })}
      width="38rem"
    >
      <div className="flex flex-col gap-4">
        <Choices program={program} draft={draft} onChange={(patch) => setDraft({ ...draft, ...patch })} />
        {plan.isError ? (
          <ErrorState {...problem(plan.error)} onRetry={() => void plan.refetch()} />
        ) : plan.data === undefined ? (
          plan.isFetching && <SkeletonLines lines={4} />
        ) : (
          <Checks plan={plan.data} />
        )}
        {plan.data?.runnable === true && (
          <DryRun service={program.service} plan={plan.data} draft={draft} onStarted={onStarted} />
        )}
        <Confirmation program={program} draft={draft} plan={plan.data} onClose={onClose} onStarted={onStarted} />
      </div>
    </Sheet>
  );
}

function Choices({
  program,
  draft,
  onChange,
}: {
  program: ProgramView;
  draft: Draft;
  onChange: (patch: Partial<Draft>) => void;
}) {
  const t = useTranslations("changes");
  const files = program.nodes[0]?.status.files ?? [];
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-3">
        <Field label={t("sheet.kind")}>
          {(ids) => (
            <Select
              {...ids}
              value={draft.kind}
              onChange={(event) => onChange({ kind: event.target.value as Draft["kind"] })}
              options={[
                { value: "release", label: t("sheet.kindRelease") },
                ...(files.length === 0 ? [] : [{ value: "config", label: t("sheet.kindConfig") }]),
              ]}
            />
          )}
        </Field>
        {draft.kind === "release" ? (
          <Field label={t("sheet.release")}>
            {(ids) => (
              <Select
                {...ids}
                value={draft.version}
                onChange={(event) => onChange({ version: event.target.value })}
                options={[
                  { value: "", label: "–" },
                  ...[...program.releases].reverse().map((each) => ({ value: each, label: each })),
                ]}
              />
            )}
          </Field>
        ) : (
          <Field label={t("sheet.file")}>
            {(ids) => (
              <Select
                {...ids}
                value={draft.file}
                onChange={(event) => onChange({ file: event.target.value })}
                options={files.map(({ name }) => ({ value: name, label: name }))}
              />
            )}
          </Field>
        )}
      </div>
      {draft.kind === "config" && (
        <Field label={t("sheet.content")}>
          {(ids) => (
            <textarea
              {...ids}
              value={draft.content}
              rows={5}
              spellCheck={false}
              onChange={(event) => onChange({ content: event.target.value })}
              className="focus-ring rounded-md border border-line bg-well px-2.5 py-1.5 font-mono text-xs"
            />
          )}
        </Field>
      )}
      <fieldset className="flex flex-col">
        <legend className="pb-1 text-xs font-medium text-muted">{t("protocol")}</legend>
        {protocols.map((protocol) => (
          <label key={protocol} className="flex items-baseline gap-2.5 border-t border-line py-1.5">
            <input
              type="radio"
              name="protocol"
              checked={draft.protocol === protocol}
              onChange={() => onChange({ protocol })}
              className="focus-ring translate-y-0.5 accent-accent"
            />
            <span>
              <span className="font-medium">{t(`protocolIs.${protocol}`)}</span>{" "}
              <span className="text-muted">{t(`protocolText.${protocol}`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div className="grid grid-cols-[1fr_9rem] gap-3">
        <Field label={t("sheet.waves")} hint={t("sheet.wavesHint")}>
          {(ids) => (
            <Input
              {...ids}
              value={draft.waves}
              spellCheck={false}
              onChange={(event) => onChange({ waves: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("sheet.watch")}>
          {(ids) => (
            <Select
              {...ids}
              value={String(draft.watchSeconds)}
              onChange={(event) => onChange({ watchSeconds: Number(event.target.value) })}
              options={watches.map((count) => ({ value: String(count), label: t("sheet.seconds", { count }) }))}
            />
          )}
        </Field>
      </div>
      {draft.protocol === "2pc" && <SqlStep draft={draft} onChange={onChange} />}
    </div>
  );
}

function SqlStep({ draft, onChange }: { draft: Draft; onChange: (patch: Partial<Draft>) => void }) {
  const t = useTranslations("changes");
  const all = useTranslations();
  const clusters = useEntities("cluster");
  if (clusters.length === 0) return null;
  return (
    <details>
      <summary className="focus-ring cursor-pointer rounded-sm text-xs font-medium text-muted">
        {t("sheet.sql")}
      </summary>
      <div className="mt-2 flex flex-col gap-3">
        <div className="grid grid-cols-2 gap-3">
          <Field label={all("action.clusters")}>
            {(ids) => (
              <Select
                {...ids}
                value={draft.cluster}
                onChange={(event) =>
                  onChange({ cluster: event.target.value, database: draft.database || event.target.value })
                }
                options={[{ value: "", label: "–" }, ...clusters.map(({ id }) => ({ value: id, label: id }))]}
              />
            )}
          </Field>
          <Field label={t("sheet.database")}>
            {(ids) => (
              <Input {...ids} value={draft.database} onChange={(event) => onChange({ database: event.target.value })} />
            )}
          </Field>
        </div>
        <Field label={t("sheet.sql")} hint={t("sheet.sqlHint", { cluster: draft.cluster || "–" })}>
          {(ids) => (
            <textarea
              {...ids}
              rows={3}
              spellCheck={false}
              value={draft.sql}
              onChange={(event) => onChange({ sql: event.target.value })}
              className="focus-ring rounded-md border border-line bg-well px-2.5 py-1.5 font-mono text-xs"
            />
          )}
        </Field>
      </div>
    </details>
  );
}

function Checks({ plan }: { plan: RolloutPlan }) {
  const t = useTranslations("changes");
  const action = useTranslations("action");
  const say = useCodeText();
  return (
    <section aria-label={t("sheet.checks")}>
      <h3 className="py-1 text-xs font-semibold text-muted">{t("sheet.checks")}</h3>
      <ul>
        {plan.checks.map((check) => (
          <li key={check.code} className="flex items-center gap-2.5 border-t border-line py-1.5">
            <StateGlyph state={glyphs[check.status]} size={10} />
            <span>
              {say("changeCheck", check.code, check.data)}
              <span className="sr-only"> {action(`status.${check.status}`)}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Everybody, or one participant, stages and validates it now; nothing is switched. */
function DryRun({
  service,
  plan,
  draft,
  onStarted,
}: {
  service: string;
  plan: RolloutPlan;
  draft: Draft;
  onStarted: (change: string) => void;
}) {
  const t = useTranslations("changes.sheet");
  const problem = useProblemText();
  const gate = useActionRefusal("operator");
  const [only, setOnly] = useState("");
  const participants = [...plan.waves.flat(), ...(plan.sql === null ? [] : [`sql:${plan.sql.cluster}`])];
  const chosen = participants.includes(only) ? only : "";
  const run = useMutation({
    mutationFn: () =>
      apiSend<{ change: string }>("POST", `releases/${encodeURIComponent(service)}/dry-run`, {
        ...toBody(draft),
        only: chosen === "" ? null : chosen,
      }),
    onSuccess: ({ change }) => onStarted(change),
    onError: (error) => toast(problem(error).text),
  });
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Field label={t("dryRunOf")} hint={t("dryRunHint")}>
        {(ids) => (
          <Select
            {...ids}
            value={chosen}
            onChange={(event) => setOnly(event.target.value)}
            options={[
              { value: "", label: t("dryRunAll") },
              ...participants.map((each) => ({ value: each, label: each })),
            ]}
          />
        )}
      </Field>
      <Button refusal={gate} busy={run.isPending} onClick={() => run.mutate()}>
        {t("dryRun")}
      </Button>
    </div>
  );
}

function Confirmation({
  program,
  draft,
  plan,
  onClose,
  onStarted,
}: {
  program: ProgramView;
  draft: Draft;
  plan: RolloutPlan | undefined;
  onClose: () => void;
  onStarted: (change: string) => void;
}) {
  const t = useTranslations("changes.sheet");
  const say = useCodeText();
  const { service } = program;
  const run = (values: Confirmed) =>
    apiSend<{ change: string }>("POST", `releases/${encodeURIComponent(service)}/rollout`, {
      ...toBody(draft),
      planHash: plan?.planHash,
      ...values,
    }).then(({ change }) => onStarted(change));
  const blocking = plan?.checks.find(({ status }) => status === "block");
  const blocked =
    (plan === undefined ? t(draft.kind === "release" ? "chooseVersion" : "writeContent") : null) ??
    (blocking !== undefined ? t("blocked", { check: say("changeCheck", blocking.code, blocking.data) }) : null);
  const what = draft.kind === "release" ? draft.version || "VERSION" : draft.file;
  const waves = draft.waves.replaceAll(/\s/g, "");
  const withSql = draft.sql.trim() === "" ? "" : ` --sql ${draft.cluster}/${draft.database}=FILE`;
  return (
    <ConfirmForm
      name={service}
      blocked={blocked}
      verb={t("run", { version: draft.kind === "release" ? draft.version || "–" : draft.file })}
      run={run}
      onCancel={onClose}
    >
      <CopyLine
        label={t("command")}
        text={
          draft.kind === "release"
            ? `holdfast rollout ${service} ${what} --protocol ${draft.protocol} --waves ${waves} --watch ${draft.watchSeconds}${withSql} --reason "…" --yes`
            : `holdfast config apply ${service} ${what} FILE --protocol ${draft.protocol} --waves ${waves} --watch ${draft.watchSeconds} --reason "…" --yes`
        }
      />
    </ConfirmForm>
  );
}
