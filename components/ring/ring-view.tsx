"use client";
import { useTranslations } from "next-intl";
import { parseAsString, parseAsStringLiteral, useQueryState } from "nuqs";
import { type ReactNode, useMemo, useState } from "react";
import type { RingChange } from "../../server/core/index.ts";
import type { HealthState } from "../../server/protocol/index.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { Field, Input } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { useFormat } from "../ui/text.tsx";
import { formatShare } from "./format-share.ts";
import { KeyWalk } from "./key-walk.tsx";
import { type OwnedRow, OwnershipPanel, OwnershipTable, type ShareText } from "./ownership-panel.tsx";
import { BINS, type Outcome, type Place, type Placement } from "./placement.ts";
import { RingPicture } from "./ring-picture.tsx";
import { OtherRules, type Totals, WhatIfPanel } from "./what-if-panel.tsx";

const views = ["picture", "table"] as const;

export interface RingViewProps {
  readonly placement: Placement;
  readonly outcome: Outcome | null;
  readonly changes: readonly RingChange[];
  readonly totals: Totals;
  readonly slots: number | null;
  readonly vnodes: number | null;
  readonly command: string | null;
  readonly states: ReadonlyMap<string, HealthState>;
  readonly onChange: (change: RingChange) => void;
  readonly onDrop: (node: string) => void;
  /** The buttons that apply what is planned. */
  readonly apply: ReactNode;
  /** Further panels below. */
  readonly children?: ReactNode;
}

/** The picture with a key's walk on the left; what-if, ownership and other rules on the right. */
export function RingView(props: RingViewProps) {
  const { placement, outcome, changes, slots } = props;
  const t = useTranslations("ring");
  const format = useFormat();
  const [view, setView] = useQueryState("view", parseAsStringLiteral(views).withDefault("picture"));
  useKey("t", () => void setView(view === "picture" ? "table" : "picture"));
  const [lit, setLit] = useState<string | null>(null);
  const rows = useRows(props);
  const order = useMemo(() => rows.map(({ node }) => node), [rows]);
  const say: ShareText = (share) =>
    slots === null ? formatShare(share, format.locale) : format.number(Math.round(share * slots));
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <Panel
        title={t("ring")}
        aside={
          <Segmented
            label={t("ring")}
            value={view}
            onChange={(value) => void setView(value)}
            options={views.map((value) => ({ value, label: t(`view.${value}`) }))}
          />
        }
      >
        {view === "table" ? (
          <OwnershipTable rows={rows} say={say} vnodes={props.vnodes} />
        ) : (
          <PictureWithKey placement={placement} outcome={outcome} order={order} lit={lit} vnodes={props.vnodes} />
        )}
      </Panel>
      <div className="flex min-w-0 flex-col gap-4">
        <WhatIfPanel
          nodes={placement.nodes.map(({ id }) => id)}
          changes={changes}
          outcome={outcome}
          totals={props.totals}
          slots={slots}
          command={props.command}
          canAdd={slots === null}
          onChange={props.onChange}
          onDrop={props.onDrop}
        >
          {props.apply}
        </WhatIfPanel>
        <OwnershipPanel
          rows={rows}
          order={order}
          changed={outcome?.whatIf != null}
          say={say}
          onLight={setLit}
          onDrain={(id) => props.onChange({ kind: "drain", id })}
        />
        {outcome?.whatIf != null && <OtherRules whatIf={outcome.whatIf} />}
        {props.children}
      </div>
    </div>
  );
}

function useRows({ placement, outcome, states }: RingViewProps): readonly OwnedRow[] {
  return useMemo(() => {
    const now = placement.nodes.map(({ id, zone, weight, share }) => ({
      node: id,
      zone,
      weightBefore: weight,
      weightAfter: weight,
      shareBefore: share,
      shareAfter: share,
    }));
    const rows = outcome?.whatIf?.ownership ?? now;
    return rows.map((row) => ({ ...row, state: states.get(row.node) ?? null }));
  }, [placement, outcome, states]);
}

/** The key's place when one is typed, else what the pointer or the arrow keys stand on. */
function usePlace(placement: Placement) {
  const [key, setKey] = useQueryState("key", parseAsString.withDefault("").withOptions({ throttleMs: 300 }));
  const [picked, setPicked] = useState<number | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const place: Place | null = useMemo(() => {
    const part = hovered ?? picked;
    return part !== null ? placement.at(part) : key === "" ? null : placement.locate(key);
  }, [placement, hovered, picked, key]);
  const type = (text: string) => {
    setPicked(null);
    void setKey(text === "" ? null : text.slice(0, 200));
  };
  return { key, place, type, pick: setPicked, hover: setHovered, byKey: (hovered ?? picked) === null && key !== "" };
}

function PictureWithKey({
  placement,
  outcome,
  order,
  lit,
  vnodes,
}: Pick<RingViewProps, "placement" | "outcome" | "vnodes"> & { order: readonly string[]; lit: string | null }) {
  const t = useTranslations("ring");
  const { key, place, type, pick, hover, byKey } = usePlace(placement);
  const holders = place?.steps.filter(({ copy }) => copy !== null).map(({ node }) => node) ?? [];
  const ownerAfter = place === null ? null : (outcome?.owners?.[Math.floor(place.part * BINS)] ?? null);
  return (
    <>
      <RingPicture
        order={order}
        before={placement.owners}
        after={outcome?.owners ?? null}
        lit={lit === null ? holders : [lit]}
        marker={place?.part ?? null}
        ownerAtMarker={place?.owner ?? null}
        onMove={hover}
        onPick={pick}
      >
        <Center place={place} name={byKey ? key : null} ownerAfter={ownerAfter} nodes={placement.nodes.length} />
      </RingPicture>
      <p className="mt-2 flex flex-wrap justify-between gap-x-4 text-xs text-muted">
        {outcome?.owners != null ? (
          <span className="inline-flex items-center gap-1.5">
            <span aria-hidden className="inline-block size-2.5 bg-suspect" /> {t("movesLegend")}
          </span>
        ) : (
          <span>{t("legend")}</span>
        )}
        {vnodes !== null && <span className="num">{t("vnodesEach", { count: vnodes })}</span>}
      </p>
      <div className="mt-4 max-w-sm">
        <Field label={t("key")} hint={t("keyHint")}>
          {(ids) => (
            <Input
              {...ids}
              value={key}
              placeholder="cart:8841"
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => type(event.target.value)}
            />
          )}
        </Field>
      </div>
      {place !== null && (
        <div className="mt-3">
          <KeyWalk placement={placement} place={place} order={order} />
        </div>
      )}
    </>
  );
}

function Center({
  place,
  name,
  ownerAfter,
  nodes,
}: {
  place: Place | null;
  name: string | null;
  ownerAfter: string | null;
  nodes: number;
}) {
  const t = useTranslations("ring");
  const format = useFormat();
  if (place === null) {
    return (
      <>
        <span className="text-lg font-semibold">{t("nodesCount", { count: nodes })}</span>
        <span className="text-xs text-muted">{t("hoverHint")}</span>
      </>
    );
  }
  const further = place.steps.filter(({ copy }) => copy !== null && copy > 1).sort((a, b) => a.copy! - b.copy!);
  return (
    <>
      <span className="max-w-full truncate font-mono text-xs text-muted">
        {name !== null && `${name} · `}
        {place.slot === null
          ? t("at", { part: formatShare(place.part, format.locale) })
          : t("slot", { slot: place.slot })}
      </span>
      <span className="max-w-full truncate text-lg font-semibold">{place.owner ?? "–"}</span>
      {further.length > 0 && (
        <span className="text-xs text-muted">
          {t("copiesOn", { nodes: further.map(({ node }) => node).join(", ") })}
        </span>
      )}
      {ownerAfter !== null && (
        <span className="text-xs text-muted">
          {ownerAfter === place.owner ? t("stays") : t("movesTo", { node: ownerAfter })}
        </span>
      )}
    </>
  );
}
