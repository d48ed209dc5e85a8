"use client";
import { useMutation } from "@tanstack/react-query";
import { RotateCw, Undo2 } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { HealthState, ProgramView } from "../../server/protocol/index.ts";
import { ConfirmDialog } from "../action/confirmation.tsx";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Button } from "../ui/button.tsx";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { Mono, RelativeTime } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";

/** One service: which release runs on which node, how it does, and the two things to do about it. */
export function ServicePanel({
  program,
  onRollOut,
  onShow,
}: {
  program: ProgramView;
  onRollOut: (version: string | null) => void;
  onShow: (change: string) => void;
}) {
  const t = useTranslations("changes");
  const gate = useActionRefusal("operator");
  const open = program.openChange === null ? null : t("openGate", { change: program.openChange });
  const rollback = useRollback(program, onShow);
  const refusal = gate ?? open;
  return (
    <Panel
      title={
        <span className="text-sm text-ink" data-testid="service">
          {program.service}
        </span>
      }
      aside={
        <span className="flex flex-wrap gap-2 py-1">
          <Button
            size="sm"
            icon={<Undo2 size={13} aria-hidden />}
            refusal={refusal ?? (program.lastGood === null ? t("noWayBack") : null)}
            busy={rollback.isPending}
            onClick={() => rollback.mutate()}
          >
            {program.lastGood === null ? t("rollBack") : t("rollBackTo", { version: program.lastGood })}
          </Button>
          <RestartButton service={program.service} refusal={refusal} onShow={onShow} />
          <Button size="sm" variant="primary" refusal={refusal} onClick={() => onRollOut(null)}>
            {t("rollOut")}
          </Button>
        </span>
      }
      bodyClassName="px-4 pb-2"
    >
      <Table label={program.service}>
        <thead>
          <tr>
            <Th>{t("node")}</Th>
            <Th>{t("version")}</Th>
            <Th>{t("health")}</Th>
            <Th className="max-sm:hidden">{t("pid")}</Th>
            <Th className="max-sm:hidden">{t("since")}</Th>
          </tr>
        </thead>
        <tbody>
          {program.nodes.map((each) => (
            <NodeRow key={each.node} each={each} />
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

function RestartButton({
  service,
  refusal,
  onShow,
}: {
  service: string;
  refusal: string | null;
  onShow: (change: string) => void;
}) {
  const t = useTranslations("changes");
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" icon={<RotateCw size={13} aria-hidden />} refusal={refusal} onClick={() => setOpen(true)}>
        {t("restart")}
      </Button>
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        path={t("title")}
        title={t("restartTitle", { service })}
        text={t("restartText")}
        name={service}
        verb={t("restartVerb")}
        run={async (values) => {
          const path = `releases/${encodeURIComponent(service)}/restart`;
          onShow((await apiSend<{ change: string }>("POST", path, values)).change);
        }}
        onDone={() => setOpen(false)}
      />
    </>
  );
}

type OnNode = ProgramView["nodes"][number];

function NodeRow({ each }: { each: OnNode }) {
  const t = useTranslations("changes");
  const { status } = each;
  const waits = status.change !== null && ["prepared", "pre-committed"].includes(status.change.state);
  return (
    <Tr>
      <Td className="font-medium whitespace-nowrap">{each.node}</Td>
      <Td>
        <Mono>{cleanText(status.version ?? "–", 40)}</Mono>
      </Td>
      <Td>
        <span className="flex flex-wrap items-center gap-x-2">
          <StateGlyph state={stateOf(each)} size={11} />
          <span>{useHealthWords(each)}</span>
          {waits && <span className="text-xs text-muted">{t("inDoubt", { change: status.change?.id ?? "" })}</span>}
        </span>
      </Td>
      <Td className="max-sm:hidden">
        <Mono>{status.pid ?? "–"}</Mono>
      </Td>
      <Td className="whitespace-nowrap max-sm:hidden">
        <RelativeTime at={status.since} />
      </Td>
    </Tr>
  );
}

function stateOf({ connected, status }: OnNode): HealthState {
  if (!connected) return "unknown";
  if (status.healthy === false || status.crashes > 0 || status.state === "failed") return "down";
  if (status.state !== "running" || status.healthy === null) return "suspect";
  return status.errors > 0 ? "degraded" : "healthy";
}

function useHealthWords({ connected, status }: OnNode): string {
  const t = useTranslations("changes");
  if (!connected) return t("agentAway");
  const words: string[] = [];
  if (status.crashes > 0) words.push(t("crashes", { count: status.crashes }));
  if (status.healthy === false) words.push(`${t("unhealthy")}: ${cleanText(status.health, 80)}`);
  else if (status.healthy === true && status.crashes === 0) words.push(t("healthy"));
  else if (words.length === 0) words.push(t("unchecked"));
  if (status.errors > 0) words.push(t("errors", { count: status.errors }));
  return words.join(", ");
}

/** One click: the inverse is known and a change of its own, which can be rolled back again. */
function useRollback({ service, lastGood }: ProgramView, onShow: (change: string) => void) {
  const t = useTranslations("changes");
  const problem = useProblemText();
  return useMutation({
    mutationFn: () =>
      apiSend<{ change: string }>("POST", `releases/${encodeURIComponent(service)}/rollback`, {
        version: lastGood,
        reason: t("rollbackReason"),
      }),
    onSuccess: ({ change }) => {
      toast(t("begun", { change }));
      onShow(change);
    },
    onError: (error) => toast(problem(error).text),
  });
}
