"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { ChangeFilter, DocumentOf, RolloutPlan } from "../../server/core/index.ts";
import type { HealthState, ProgramView } from "../../server/protocol/index.ts";
import { apiGet, apiSend } from "../data/api.ts";
import type { Page } from "../data/queries.ts";
import { useDocuments } from "../live/use-entities.ts";

export type Change = DocumentOf<"change">;

/** Services with releases, as their nodes report them; asked for again every second while the screen is open. */
export function usePrograms() {
  return useQuery({
    queryKey: ["programs"],
    queryFn: ({ signal }) => apiGet<{ readonly items: readonly ProgramView[] }>("releases", {}, signal),
    refetchInterval: 1_000,
    placeholderData: keepPreviousData,
  });
}

/** Open changes from the feed, all of them; and of the ended ones in the store those that match, newest first. */
export function useChanges(filter: ChangeFilter = {}) {
  const open = useDocuments("change");
  const key = open.map(({ id }) => id).join(" ");
  const query = useQuery({
    queryKey: ["changes", key, filter],
    queryFn: ({ signal }) => apiGet<Page<Change>>("changes", { limit: 50, ...filter }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: open.length > 0 ? 2_000 : 15_000,
  });
  const changes = useMemo(() => {
    const running = [...open].sort((a, b) => b.openedAt - a.openedAt);
    const ids = new Set(running.map(({ id }) => id));
    const past = (query.data?.items ?? []).filter(({ id, closedAt }) => !ids.has(id) && closedAt !== null);
    return { running, past };
  }, [open, query.data]);
  return { ...changes, query };
}

export interface Draft {
  readonly kind: "release" | "config";
  readonly version: string;
  readonly file: string;
  readonly content: string;
  readonly protocol: "2pc" | "3pc" | "saga";
  readonly waves: string;
  readonly watchSeconds: number;
  readonly sql: string;
  readonly cluster: string;
  readonly database: string;
}

export function toBody(draft: Draft) {
  const statements = draft.sql
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return {
    item:
      draft.kind === "release"
        ? { kind: "release", version: draft.version }
        : { kind: "config", file: draft.file, content: draft.content },
    protocol: draft.protocol,
    waves: readWaves(draft.waves),
    watchSeconds: draft.watchSeconds,
    sql:
      statements.length === 0 || draft.cluster === ""
        ? null
        : { cluster: draft.cluster, database: draft.database, statements },
  };
}

/** `web-1 / web-2, web-3` → two waves. */
export function readWaves(text: string): string[][] {
  return text
    .split("/")
    .map((wave) => wave.split(/[\s,]+/).filter((node) => node !== ""))
    .filter((wave) => wave.length > 0);
}

/** The plan as it would be now; asked for again every second while the sheet is open. */
export function useRolloutPlan(service: string, draft: Draft) {
  const body = toBody(draft);
  const ready = draft.kind === "release" ? draft.version !== "" : draft.file !== "" && draft.content !== "";
  return useQuery({
    queryKey: ["rollout-plan", service, body],
    queryFn: () => apiSend<RolloutPlan>("POST", `releases/${encodeURIComponent(service)}/plan`, body),
    enabled: ready,
    refetchInterval: 1_000,
    placeholderData: keepPreviousData,
  });
}

type Target = Change["targets"][number];
type Branch = Change["transaction"]["branches"][number];

/**
 * Whether a decided change may be waiting in vain for this participant, so that going on without it is offered: its agent is away, it was asked more
 * than once, or it is a database that has no primary to ask. `here`: nodes whose agent is connected; null while that is not known.
 */
export function mayBeLeft(change: Change, target: Target, branch: Branch, here: ReadonlySet<string> | null): boolean {
  if (change.closedAt !== null || branch.endedAt !== null) return false;
  return branch.attempts > 1 || target.detail === "no-primary" || isAway(target, here);
}

/** A database is asked at its primary of now; before it was ever asked, its target names the cluster. */
export function isAway({ kind, node, stepAt }: Target, here: ReadonlySet<string> | null): boolean {
  return here !== null && !here.has(node) && (kind === "program" || stepAt !== null);
}

/** How it stands, in one word: of a dry run, what came of it. Message keys below `changes.phase.`. */
export function phaseOf({ dryRun, closedAt, phase, transaction }: Change) {
  if (dryRun !== true) return phase;
  if (closedAt === null) return "dry-run";
  return transaction.cause?.code === "dry-run-passed" ? "dry-run-passed" : "dry-run-failed";
}

/** What a change looks like at a glance. */
export function changeState(change: Change): HealthState {
  if (phaseOf(change) === "dry-run-passed") return "healthy";
  switch (change.phase) {
    case "done":
      return change.fault === null ? "healthy" : "degraded";
    case "running":
    case "watching":
      return "maintenance";
    case "aborting":
    case "aborted":
    case "rolled-back":
      return change.fault === null && change.transaction.cause?.code === "stopped-by-operator" ? "unknown" : "degraded";
    default:
      return change.phase satisfies never;
  }
}

/** What is rolled out, in the words of whoever asked for it: a file by its name, not by its digest alone. */
export function whatOf({ item, version }: Change): string {
  return item.kind === "config" ? `${item.file} ${version}` : version;
}

/** A later change of the same thing was carried out: going back would undo that one, too. A restart changes nothing. */
export function isOvertaken(change: Change, later: readonly Change[]): boolean {
  return later.some(
    (each) =>
      each.service === change.service &&
      each.openedAt > change.openedAt &&
      each.item.kind !== "restart" &&
      fileOf(each) === fileOf(change) &&
      each.transaction.decision === "commit",
  );
}

function fileOf({ item }: Change): string | null {
  return "file" in item ? item.file : null;
}

/** What a participant voted. It stays a vote when what it led to is done: the one that said no is the cause of the abort. */
export function voteOf({ transaction }: Change, branch: Change["transaction"]["branches"][number]) {
  const { cause } = transaction;
  const isCause = cause?.branch === branch.id && (cause.code === "voted-no" || cause.code === "step-failed");
  if (branch.state === "no" || isCause) return "no";
  if (branch.votedAt !== null) return "yes";
  return branch.state === "idle" ? "idle" : "asked";
}
