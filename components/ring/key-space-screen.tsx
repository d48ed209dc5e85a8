"use client";
import { useTranslations } from "next-intl";
import { useDeferredValue, useMemo, useState } from "react";
import { changesBetween, type DocumentOf, type RingChange } from "../../server/core/index.ts";
import type { HealthState } from "../../server/protocol/index.ts";
import { ConfirmDialog } from "../action/confirmation.tsx";
import { apiSend } from "../data/api.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useEntities } from "../live/use-entities.ts";
import { Button } from "../ui/button.tsx";
import { useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";
import { formatShare } from "./format-share.ts";
import { foreseeKeySpace, type Outcome, placeKeySpace } from "./placement.ts";
import { withChange } from "./ring-changes.ts";
import { RingView } from "./ring-view.tsx";
import { useChanges } from "./use-changes.ts";
import { VersionsPanel } from "./versions-panel.tsx";

type KeySpace = DocumentOf<"key-space">;

/** The headline over a key space: what the planned change moves, or how even it is now. */
export function useHeadline(
  id: string,
  changes: readonly RingChange[],
  outcome: Outcome | null,
  balance: number | null,
): string {
  const t = useTranslations("ring");
  const format = useFormat();
  if (outcome?.whatIf == null) return t("headline", { id, balance: format.number(balance, 2) });
  const share = (part: number) => formatShare(part, format.locale);
  return t("headlinePlan", {
    count: changes.length,
    moved: share(outcome.whatIf.movedShare),
    least: share(outcome.whatIf.minimalShare),
    modulo: share(outcome.whatIf.moduloShare),
  });
}

/** States of those nodes of the key space that Holdfast watches; a new map only when one of them changed. */
function useStates(space: KeySpace): ReadonlyMap<string, HealthState> {
  const nodes = useEntities("node");
  const known = new Set(space.nodes.map(({ id }) => id));
  const text = JSON.stringify(nodes.flatMap(({ id, state }) => (known.has(id) ? [[id, state]] : [])));
  return useMemo(() => new Map(JSON.parse(text) as [string, HealthState][]), [text]);
}

/** One registered key space: picture, what-if, apply, versions. */
export function KeySpaceScreen({
  space,
  header,
}: {
  space: KeySpace;
  header: (title: string, actions: React.ReactNode) => React.ReactNode;
}) {
  const t = useTranslations("ring");
  const [changes, setChanges] = useChanges();
  const states = useStates(space);
  const placement = useMemo(() => placeKeySpace(space), [space]);
  const tried = useDeferredValue(changes);
  const outcome = useMemo(() => foreseeKeySpace(space, tried), [space, tried]);
  const title = useHeadline(space.id, changes, outcome, placement.balance);
  const back = (epoch: number) => {
    const version = space.previous.find((each) => each.epoch === epoch);
    if (version !== undefined) setChanges(changesBetween(space.nodes, version.nodes));
  };
  return (
    <>
      {header(title, <RemoveButton id={space.id} />)}
      <RingView
        placement={placement}
        outcome={outcome}
        changes={changes}
        totals={{ keys: space.keys, bytes: space.bytes, copies: space.copies }}
        slots={null}
        vnodes={space.vnodes}
        states={states}
        command={changes.length === 0 ? null : commandOf(space.id, changes)}
        onChange={(change) => setChanges(withChange(changes, change))}
        onDrop={(node) =>
          setChanges(changes.filter((change) => (change.kind === "add" ? change.node.id : change.id) !== node))
        }
        apply={<ApplyButton space={space} changes={tried} outcome={outcome} onDone={() => setChanges([])} />}
      >
        <VersionsPanel space={space} onBack={back} />
        <p className="text-xs text-muted">{t("applyNote")}</p>
      </RingView>
    </>
  );
}

function ApplyButton({
  space,
  changes,
  outcome,
  onDone,
}: {
  space: KeySpace;
  changes: readonly RingChange[];
  outcome: Outcome | null;
  onDone: () => void;
}) {
  const t = useTranslations("ring");
  const format = useFormat();
  const gate = useActionRefusal("operator");
  const [open, setOpen] = useState(false);
  if (outcome?.planHash == null) return null;
  const { whatIf, planHash } = outcome;
  return (
    <>
      <Button variant="primary" refusal={gate} onClick={() => setOpen(true)}>
        {t("apply")}
      </Button>
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        title={t("applyTitle", { id: space.id, epoch: space.epoch + 1 })}
        text={t("applyText", { moved: formatShare(whatIf.movedShare, format.locale) })}
        name={space.id}
        verb={t("applyVerb", { epoch: space.epoch + 1 })}
        run={(values) =>
          apiSend("POST", `rings/${encodeURIComponent(space.id)}/apply`, { changes, planHash, ...values })
        }
        onDone={() => {
          setOpen(false);
          toast(t("applied", { id: space.id }));
          onDone();
        }}
      />
    </>
  );
}

function RemoveButton({ id }: { id: string }) {
  const t = useTranslations("ring");
  const gate = useActionRefusal("operator");
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button refusal={gate} onClick={() => setOpen(true)}>
        {t("remove")}
      </Button>
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        title={t("removeTitle", { id })}
        text={t("removeText")}
        name={id}
        verb={t("remove")}
        danger
        run={(values) => apiSend("DELETE", `rings/${encodeURIComponent(id)}`, values)}
        onDone={() => {
          setOpen(false);
          toast(t("removed", { id }));
        }}
      />
    </>
  );
}

function commandOf(id: string, changes: readonly RingChange[]): string {
  const options = changes.map((change) => {
    if (change.kind === "add") {
      const { id: node, weight, zone } = change.node;
      return `--add ${node}=${weight}${zone === null ? "" : `@${zone}`}`;
    }
    return change.kind === "weight" ? `--weight ${change.id}=${change.weight}` : `--${change.kind} ${change.id}`;
  });
  return `holdfast ring plan ${id} ${options.join(" ")}`;
}
