"use client";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryStates } from "nuqs";
import { useProblemText } from "../data/use-problem-text.ts";
import { Sheet } from "../ui/dialog.tsx";
import { EmptyState, ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { CopyLine } from "../ui/text.tsx";
import { ChangeCard } from "./change-card.tsx";
import { ChangeFilterBar, useChangeFilter } from "./change-filter.tsx";
import { InDoubtPanel } from "./in-doubt.tsx";
import { PastChanges } from "./past-changes.tsx";
import { RolloutSheet } from "./rollout-sheet.tsx";
import { ServicePanel } from "./service-panel.tsx";
import { useChanges, usePrograms } from "./use-changes.ts";

/** Releases and configuration on their way to the nodes: what runs where, what is under way, what became of it. */
export function ChangesScreen() {
  const t = useTranslations("changes");
  const problem = useProblemText();
  const programs = usePrograms();
  const filter = useChangeFilter();
  const { running, past, query } = useChanges(filter.wanted);
  const [at, go] = useQueryStates(
    { change: parseAsString, rollout: parseAsString, version: parseAsString },
    { history: "push" },
  );
  const items = programs.data?.items;
  const shown = [...running, ...past].find(({ id }) => id === at.change) ?? null;
  const planned = items?.find(({ service }) => service === at.rollout) ?? null;
  const show = (change: string) => void go({ change, rollout: null, version: null });
  const close = () => void go({ change: null, rollout: null, version: null });
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <div className="flex flex-col gap-4">
        {running.map((change) => (
          <Panel key={change.id} title={t("running")} aside={change.id}>
            <ChangeCard change={change} onShow={show} later={[]} />
          </Panel>
        ))}
        {items === undefined ? (
          <Panel title={t("services")}>
            {programs.isError ? (
              <ErrorState {...problem(programs.error)} onRetry={() => void programs.refetch()} />
            ) : (
              <SkeletonLines lines={5} />
            )}
          </Panel>
        ) : items.length === 0 ? (
          <Panel title={t("services")}>
            <EmptyState title={t("noServices")} text={t("noServicesText")} action={<Example />} />
          </Panel>
        ) : (
          items.map((program) => (
            <ServicePanel
              key={program.service}
              program={program}
              onRollOut={(version) => void go({ rollout: program.service, version, change: null })}
              onShow={show}
            />
          ))
        )}
        <InDoubtPanel />
        <Panel title={t("past")} bodyClassName="px-4 pb-2">
          {(past.length > 0 || filter.isSet) && <ChangeFilterBar filter={filter} />}
          {query.data === undefined ? (
            query.isError ? (
              <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
            ) : (
              <SkeletonLines lines={4} />
            )
          ) : past.length === 0 ? (
            <EmptyState
              title={filter.isSet ? t("filter.none") : t("nothingPast")}
              text={filter.isSet ? t("filter.noneText") : t("nothingPastText")}
            />
          ) : (
            <PastChanges changes={past} onShow={show} />
          )}
        </Panel>
      </div>
      <Sheet open={shown !== null} onClose={close} title={shown?.id ?? ""} path={t("title")} width="44rem">
        {shown !== null && <ChangeCard change={shown} onShow={show} later={past} />}
      </Sheet>
      {planned !== null && (
        <RolloutSheet program={planned} version={at.version ?? ""} onClose={close} onStarted={show} />
      )}
    </>
  );
}

function Example() {
  const t = useTranslations("changes");
  const lines = [
    "programs:",
    "  - name: web",
    "    dir: /srv/web",
    "    command: [/usr/bin/node, server.js]",
    "    health: { url: http://127.0.0.1:8080/health }",
  ];
  return (
    <div className="w-[min(30rem,calc(100vw-5rem))] text-left">
      <CopyLine text={lines.join("\n")} label={t("services")} />
    </div>
  );
}
