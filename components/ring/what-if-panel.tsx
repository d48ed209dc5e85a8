"use client";
import { X } from "lucide-react";
import { useTranslations } from "next-intl";
import { type ReactNode, useState } from "react";
import type { RingChange, WhatIf } from "../../server/core/index.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input, Select } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { CopyLine, useFormat } from "../ui/text.tsx";
import { formatShare } from "./format-share.ts";
import type { Outcome } from "./placement.ts";
import { changedNode } from "./ring-changes.ts";

export interface Totals {
  readonly keys: number | null;
  readonly bytes: number | null;
  readonly copies: number;
}

/** Changes to try, and what they would move. */
export function WhatIfPanel({
  nodes,
  changes,
  outcome,
  totals,
  slots,
  command,
  canAdd,
  onChange,
  onDrop,
  children,
}: {
  nodes: readonly string[];
  changes: readonly RingChange[];
  outcome: Outcome | null;
  totals: Totals;
  /** A table of this many slots instead of a ring. */
  slots: number | null;
  command: string | null;
  canAdd: boolean;
  onChange: (change: RingChange) => void;
  onDrop: (node: string) => void;
  children: ReactNode;
}) {
  const t = useTranslations("ring");
  const say = useCodeText();
  const [form, setForm] = useState<"add" | "weight" | null>(null);
  return (
    <Panel title={t("whatIf")} aside={t("nothingYet")}>
      <div className="flex flex-wrap items-center gap-2">
        {changes.map((change) => (
          <Chip key={changedNode(change)} change={change} onDrop={() => onDrop(changedNode(change))} />
        ))}
        {canAdd && (
          <Button size="sm" aria-expanded={form === "add"} onClick={() => setForm(form === "add" ? null : "add")}>
            {t("addNode")}
          </Button>
        )}
        <Button
          size="sm"
          aria-expanded={form === "weight"}
          onClick={() => setForm(form === "weight" ? null : "weight")}
        >
          {t("changeWeight")}
        </Button>
      </div>
      {form !== null && (
        <ChangeForm
          key={form}
          kind={form}
          nodes={nodes}
          onDone={(change) => {
            onChange(change);
            setForm(null);
          }}
        />
      )}
      {outcome === null ? (
        <p className="mt-3 text-muted">{t("tryHint")}</p>
      ) : outcome.refusal !== null ? (
        <p role="alert" className="mt-3 rounded-md border border-danger px-3 py-2">
          {say("refusal", outcome.refusal.code, { ...outcome.refusal })}
        </p>
      ) : (
        <>
          <Figures whatIf={outcome.whatIf} totals={totals} slots={slots} />
          <div className="mt-3 flex flex-wrap items-center gap-3">
            <div className="min-w-0 flex-1 basis-56">
              {command !== null && <CopyLine text={command} label={t("command")} />}
            </div>
            {children}
          </div>
        </>
      )}
    </Panel>
  );
}

function Chip({ change, onDrop }: { change: RingChange; onDrop: () => void }) {
  const t = useTranslations("ring");
  const node = changedNode(change);
  const text =
    change.kind === "add"
      ? t("chip.add", { node, weight: change.node.weight })
      : change.kind === "weight"
        ? t("chip.weight", { node, weight: change.weight })
        : t(`chip.${change.kind}`, { node });
  return (
    <span className="inline-flex h-7 items-center gap-1 rounded-full border border-line-strong pr-1 pl-3 text-xs">
      {text}
      <button
        type="button"
        onClick={onDrop}
        aria-label={t("dropChange", { change: text })}
        className="focus-ring rounded-full p-1 text-muted hover:text-ink"
      >
        <X size={12} aria-hidden />
      </button>
    </span>
  );
}

const nodeName = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,99}$/;

function ChangeForm({
  kind,
  nodes,
  onDone,
}: {
  kind: "add" | "weight";
  nodes: readonly string[];
  onDone: (change: RingChange) => void;
}) {
  const t = useTranslations("ring");
  const [id, setId] = useState(kind === "weight" ? (nodes[0] ?? "") : "");
  const [weight, setWeight] = useState(kind === "weight" ? "2" : "1");
  const [zone, setZone] = useState("");
  const value = Number(weight);
  const wrong = !nodeName.test(id)
    ? t("nameWrong")
    : kind === "add" && nodes.includes(id)
      ? t("nameTaken")
      : weight.trim() === "" || !(value >= 0 && value <= 1_000)
        ? t("weightWrong")
        : null;
  return (
    <form
      className="mt-3 flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (wrong !== null) return;
        onDone(
          kind === "add"
            ? { kind, node: { id, weight: value, zone: zone === "" ? null : zone } }
            : { kind, id, weight: value },
        );
      }}
    >
      <div className="w-40">
        <Field label={t("column.node")}>
          {(ids) =>
            kind === "add" ? (
              <Input {...ids} value={id} maxLength={100} autoFocus onChange={(event) => setId(event.target.value)} />
            ) : (
              <Select
                {...ids}
                className="w-full"
                value={id}
                onChange={(event) => setId(event.target.value)}
                options={nodes.map((node) => ({ value: node, label: node }))}
              />
            )
          }
        </Field>
      </div>
      <div className="w-20">
        <Field label={t("column.weight")}>
          {(ids) => (
            <Input {...ids} inputMode="decimal" value={weight} onChange={(event) => setWeight(event.target.value)} />
          )}
        </Field>
      </div>
      {kind === "add" && (
        <div className="w-28">
          <Field label={t("column.zone")}>
            {(ids) => <Input {...ids} value={zone} maxLength={100} onChange={(event) => setZone(event.target.value)} />}
          </Field>
        </div>
      )}
      <Button type="submit" refusal={wrong}>
        {t("tryIt")}
      </Button>
    </form>
  );
}

function Figures({ whatIf, totals, slots }: { whatIf: WhatIf; totals: Totals; slots: number | null }) {
  const t = useTranslations("ring");
  const format = useFormat();
  const keys = totals.keys === null ? null : Math.round(totals.keys * whatIf.movedShare);
  const bytes = totals.bytes === null ? null : Math.round(totals.bytes * whatIf.copiedShare);
  const naiveKeys = totals.keys === null ? null : Math.round(totals.keys * whatIf.moduloShare);
  const share = (part: number) =>
    slots === null ? formatShare(part, format.locale) : format.number(Math.round(part * slots));
  return (
    <dl className="mt-3 grid grid-cols-2 gap-x-4 gap-y-3 sm:grid-cols-3">
      <Figure
        name={slots === null ? t("keysToMove") : t("slotsToMove")}
        note={t("minimum", { share: share(whatIf.minimalShare) })}
      >
        {share(whatIf.movedShare)}
      </Figure>
      <Figure
        name={t("keysBytes")}
        note={naiveKeys === null ? t("notCounted") : t("naiveKeys", { keys: format.number(naiveKeys) })}
      >
        {keys === null ? "–" : format.number(keys)} · {format.bytes(bytes)}
      </Figure>
      <Figure name={t("balanceAfter")} note={t("balanceNow", { balance: format.number(whatIf.balanceBefore, 2) })}>
        {format.number(whatIf.balanceAfter, 2)}
      </Figure>
    </dl>
  );
}

function Figure({ name, note, children }: { name: string; note: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd>
        <span className="num block text-lg font-semibold">{children}</span>
        <span className="num text-xs text-muted">{note}</span>
      </dd>
    </div>
  );
}

/** The same change under rules that know no ring. */
export function OtherRules({ whatIf }: { whatIf: WhatIf }) {
  const t = useTranslations("ring");
  const format = useFormat();
  const rules = [
    ["thisPlan", whatIf.movedShare, "var(--color-accent)"],
    ["theMinimum", whatIf.minimalShare, "var(--color-unknown)"],
    ["evenSplit", whatIf.evenSplitShare, "var(--color-unknown)"],
    ["modulo", whatIf.moduloShare, "var(--color-degraded)"],
  ] as const;
  return (
    <Panel title={t("otherRules")} aside={t("shareMoved")}>
      <dl className="grid grid-cols-[auto_1fr_auto] items-center gap-x-3 gap-y-2">
        {rules.map(([rule, share, color]) => (
          <div key={rule} className="contents">
            <dt>{t(`rule.${rule}`)}</dt>
            <dd aria-hidden className="h-2.5 rounded-sm bg-well">
              <span
                className="block h-full rounded-sm"
                style={{ width: `${Math.min(1, share) * 100}%`, background: color }}
              />
            </dd>
            <dd className="num text-right">{format.number(share * 100, 1)} %</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
