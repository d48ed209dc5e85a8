"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { parseAsString, parseAsStringLiteral, useQueryState } from "nuqs";
import { useMemo } from "react";
import type { IncidentView } from "../../server/protocol/index.ts";
import { useIncidentPage } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useEntities } from "../live/use-entities.ts";
import { useScope } from "../shell/scope.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { Button, buttonClasses } from "../ui/button.tsx";
import { EmptyState, ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Input } from "../ui/field.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { Mono, RelativeTime, useFormat } from "../ui/text.tsx";
import { useIncidentCommand } from "./incident-actions.tsx";
import { incidentState, useIncidentTitle } from "./incident-title.ts";

const tabs = ["open", "resolved", "closed", "all"] as const;
type Tab = (typeof tabs)[number];

function belongs(incident: IncidentView, tab: Tab): boolean {
  if (tab === "all") return true;
  if (tab === "closed") return incident.closedAt !== null;
  if (tab === "resolved") return incident.resolvedAt !== null && incident.closedAt === null;
  return incident.resolvedAt === null;
}

/** The inbox: what is open first; everything that ever was is a tab away. */
export function IncidentsScreen() {
  const t = useTranslations("incidents");
  const [tab, setTab] = useQueryState("phase", parseAsStringLiteral(tabs).withDefault("open"));
  const [search, setSearch] = useQueryState("q", parseAsString.withDefault(""));
  const [scope] = useScope();
  const query = useIncidentPage({ limit: 200 });
  const live = useEntities("incident");
  const title = useIncidentTitle();
  const problem = useProblemText();
  const merged = useMemo(() => {
    const byId = new Map((query.data?.items ?? []).map((incident) => [incident.id, incident]));
    for (const incident of live) byId.set(incident.id, incident);
    return [...byId.values()].sort((a, b) => b.openedAt - a.openedAt);
  }, [query.data, live]);
  const needle = search.trim().toLowerCase();
  const scoped = merged.filter((incident) => scope === null || incident.cluster === scope);
  const shown = scoped
    .filter((incident) => belongs(incident, tab))
    .filter(
      (incident) =>
        needle === "" || `${incident.id} ${title(incident)} ${incident.cluster ?? ""}`.toLowerCase().includes(needle),
    );
  useWalk();
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <Segmented
          label={t("phase")}
          value={tab}
          onChange={(value) => void setTab(value)}
          options={tabs.map((value) => ({
            value,
            label: (
              <>
                {t(`tab.${value}`)}{" "}
                <span className="num text-muted">{scoped.filter((incident) => belongs(incident, value)).length}</span>
              </>
            ),
          }))}
        />
        <Input
          type="search"
          value={search}
          onChange={(event) => void setSearch(event.target.value || null)}
          placeholder={t("search")}
          aria-label={t("search")}
          className="max-w-64"
        />
      </div>
      <Panel bodyClassName="px-4">
        {query.isPending && merged.length === 0 ? (
          <SkeletonLines lines={4} className="py-4" />
        ) : query.isError && merged.length === 0 ? (
          <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
        ) : shown.length === 0 ? (
          <EmptyState
            glyph={<StateGlyph state="healthy" size={18} withWord />}
            title={t(needle === "" ? `empty.${tab}` : "emptySearch")}
            text={needle === "" && tab === "open" ? t("emptyHint") : undefined}
          />
        ) : (
          <ul>
            {shown.map((incident, index) => (
              <Row key={incident.id} incident={incident} first={index === 0} />
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
}

function Row({ incident, first }: { incident: IncidentView; first: boolean }) {
  const t = useTranslations("incidents");
  const words = useTranslations("incident");
  const title = useIncidentTitle();
  const format = useFormat();
  const refusal = useActionRefusal("operator");
  const { busy, run } = useIncidentCommand(incident.id);
  const { impact } = incident;
  const end = incident.resolvedAt;
  return (
    <li className={first ? "flex items-center gap-3 py-3" : "flex items-center gap-3 border-t border-line py-3"}>
      <StateGlyph state={incidentState(incident)} size={14} />
      <div className="min-w-0 flex-1">
        <p className="font-semibold">
          <Link href={`/incidents/${incident.id}`} data-incident-link className="focus-ring hover:underline">
            {title(incident)}
          </Link>
        </p>
        <p className="text-muted">
          <Mono>{incident.id}</Mono> · {words("severity", { severity: incident.severity })} ·{" "}
          {words(`phase.${incident.phase}`)}
          {impact.writesUnavailableMs !== null &&
            ` · ${words("unavailable", { time: format.duration(impact.writesUnavailableMs) })}`}
          {impact.acknowledgedLost !== null && ` · ${words("lost", { lost: impact.acknowledgedLost })}`}
        </p>
      </div>
      <span className="hidden shrink-0 text-right text-muted sm:block">
        <RelativeTime at={incident.beganAt} />
        {end !== null && (
          <span className="num block text-xs">{t("lasted", { time: format.duration(end - incident.beganAt) })}</span>
        )}
      </span>
      {incident.acknowledgedAt === null && incident.closedAt === null ? (
        <Button refusal={refusal} busy={busy} onClick={() => void run("acknowledge")} className="min-w-28">
          {words("acknowledge")}
        </Button>
      ) : (
        <Link href={`/incidents/${incident.id}`} className={buttonClasses("secondary", "md", "min-w-28")}>
          {t("open")}
        </Link>
      )}
    </li>
  );
}

/** `j`/`k` walk the rows; Enter opens, as on any link. */
function useWalk(): void {
  const step = (by: number) => {
    const links = [...document.querySelectorAll<HTMLElement>("[data-incident-link]")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useKey("j", () => step(1));
  useKey("k", () => step(-1));
}
