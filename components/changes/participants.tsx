"use client";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { HealthState } from "../../server/protocol/index.ts";
import { ConfirmDialog } from "../action/confirmation.tsx";
import { apiSend } from "../data/api.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useEntities } from "../live/use-entities.ts";
import { Button } from "../ui/button.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { Mono, useFormat } from "../ui/text.tsx";
import { type Change, isAway, mayBeLeft, voteOf } from "./use-changes.ts";

type Branch = Change["transaction"]["branches"][number];

const glyphs: Record<Branch["state"], HealthState> = {
  idle: "unknown",
  asked: "suspect",
  yes: "maintenance",
  no: "down",
  "pre-committed": "maintenance",
  "pre-aborted": "degraded",
  committed: "healthy",
  aborted: "unknown",
  refused: "down",
  "set-aside": "maintenance",
};

function committedAs(change: Change, target: Change["targets"][number]): "committed" | "restarted" | "sql-committed" {
  if (target.kind === "sql") return "sql-committed";
  return change.item.kind === "restart" ? "restarted" : "committed";
}

/** The vote matrix: who was asked what, who answered when, what waits. */
export function Participants({ change }: { change: Change }) {
  const t = useTranslations("changes");
  const format = useFormat();
  const branches = new Map(change.transaction.branches.map((branch) => [branch.id, branch]));
  const here = useHere();
  const isRestart = change.item.kind === "restart";
  const after = (at: number | null) => (at === null ? "" : format.duration(at - change.openedAt));
  return (
    <Table label={t("participants")}>
      <thead>
        <tr>
          <Th>{t("participants")}</Th>
          <Th className="max-sm:hidden">{t("before")}</Th>
          <Th>{t("vote")}</Th>
          <Th>{t("ack")}</Th>
          <Th className="max-sm:hidden">{t("step")}</Th>
        </tr>
      </thead>
      <tbody>
        {change.targets.map((target) => {
          const branch = branches.get(target.id);
          if (branch === undefined) return null;
          const vote = voteOf(change, branch);
          return (
            <Tr key={target.id}>
              <Td className="whitespace-nowrap">
                <span className="font-medium">{target.id}</span>{" "}
                <span className="text-xs text-muted">{t("wave", { wave: target.wave + 1 })}</span>
                {change.closedAt === null && branch.endedAt === null && isAway(target, here) && (
                  <span className="block text-xs text-danger-ink">{t("agentAway")}</span>
                )}
              </Td>
              <Td className="max-sm:hidden">
                <Mono>{cleanText(target.before ?? "–", 24)}</Mono>
              </Td>
              <Td className="whitespace-nowrap">
                <span className="flex items-center gap-2">
                  <StateGlyph state={glyphs[vote]} size={10} />
                  {t(`branch.${vote}`)}
                  <span className="num text-xs text-muted">{after(branch.votedAt)}</span>
                </span>
              </Td>
              <Td className="whitespace-nowrap">
                {branch.endedAt === null ? (
                  <GoOnWithout
                    change={change}
                    participant={target.id}
                    offered={mayBeLeft(change, target, branch, here)}
                  />
                ) : (
                  <span className="flex items-center gap-2">
                    <StateGlyph state={glyphs[branch.state]} size={10} />
                    {t(`branch.${branch.state === "committed" ? committedAs(change, target) : branch.state}`)}
                    <span className="num text-xs text-muted">{after(branch.endedAt)}</span>
                  </span>
                )}
              </Td>
              <Td className="max-w-72 text-muted max-sm:hidden">
                {target.step !== null &&
                  t(isRestart && target.step === "do" ? "stepIs.restart" : `stepIs.${target.step}`)}
                {branch.attempts > 1 && <> · {t("attempts", { count: branch.attempts })}</>}
                {target.detail !== null && target.detail !== "" && <> · {cleanText(target.detail, 90)}</>}
              </Td>
            </Tr>
          );
        })}
      </tbody>
    </Table>
  );
}

/** Once it is decided: the way out when a participant does not come back. */
function GoOnWithout({
  change,
  participant,
  offered,
}: {
  readonly change: Change;
  readonly participant: string;
  readonly offered: boolean;
}) {
  const t = useTranslations("changes");
  const [open, setOpen] = useState(false);
  if (!offered || change.transaction.decision === null) return <span className="text-muted">–</span>;
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        {t("goOn")}
      </Button>
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        path={change.id}
        title={t("goOnTitle", { participant })}
        text={t("goOnText", { participant })}
        name={participant}
        verb={t("goOnVerb")}
        danger
        run={(values) => apiSend("POST", `changes/${change.id}/set-aside`, { ...values, participant })}
        onDone={() => setOpen(false)}
      />
    </>
  );
}

/** Nodes whose agent is connected, of every kind: a database's is none of the service's. */
function useHere(): ReadonlySet<string> | null {
  const nodes = useEntities("node");
  return nodes.length === 0 ? null : new Set(nodes.filter(({ connected }) => connected).map(({ id }) => id));
}
