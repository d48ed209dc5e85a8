import type { ActionView, ClusterView, IncidentView } from "../../server/protocol/index.ts";
import { summarizeAutomation } from "../shell/automation-summary.ts";
import { type Coded, coded } from "./coded.ts";
import { findProblems, incidentTitle, isOpen, type Picture } from "./problems.ts";

export interface StatusSentence {
  /** What is wrong, since when, and what Holdfast is doing about it; or that all is well. */
  readonly headline: readonly Coded[];
  /** The rest of the picture in short clauses. */
  readonly subline: readonly Coded[];
  readonly calm: boolean;
}

/** Verdicts after which a cluster has no primary that takes writes. */
const primaryLost: ReadonlySet<string> = new Set([
  "dead-primary",
  "frozen-primary",
  "hung-primary",
  "unwritable-primary",
  "partitioned-primary",
  "lost-primary",
]);

/** A recovered incident leads the page for this long after it was resolved; then it is history. */
const RECENT_MS = 120_000;

/** The first line of the first screen. Pure: the same picture at the same instant gives the same sentence. */
export function composeStatus(picture: Picture, nowMs: number): StatusSentence {
  if (picture.nodes.length === 0) {
    return { headline: [coded("status", "empty")], subline: [coded("status", "emptyHint")], calm: true };
  }
  const incident = leadingIncident(picture.incidents, nowMs);
  const headline = incident !== undefined ? aboutIncident(incident, picture, nowMs) : aboutTheRest(picture, nowMs);
  return {
    headline,
    subline: [...whyNobodyTakesOver(incident, picture), ...composeSubline(picture)],
    calm: incident === undefined && findProblems(picture).length === 0,
  };
}

function whyNobodyTakesOver(incident: IncidentView | undefined, { clusters }: Picture): readonly Coded[] {
  const cluster = clusters.find(({ id }) => id === incident?.cluster);
  return cluster?.refusal == null ? [] : [coded("refusal", cluster.refusal.code, cluster.refusal.data)];
}

function leadingIncident(incidents: readonly IncidentView[], nowMs: number): IncidentView | undefined {
  const open = incidents.filter(isOpen);
  const rank = (incident: IncidentView) => incident.severity + (incident.phase === "mitigated" ? 10 : 0);
  const worst = [...open].sort((a, b) => rank(a) - rank(b) || b.beganAt - a.beganAt)[0];
  if (worst !== undefined) return worst;
  return incidents
    .filter(
      (incident) => incident.resolvedAt !== null && nowMs - incident.resolvedAt < RECENT_MS && incident.severity <= 2,
    )
    .sort((a, b) => (b.resolvedAt ?? 0) - (a.resolvedAt ?? 0))[0];
}

function aboutIncident(incident: IncidentView, picture: Picture, nowMs: number): readonly Coded[] {
  const agoMs = wholeSeconds(nowMs - incident.beganAt);
  const cluster = picture.clusters.find(({ id }) => id === incident.cluster);
  const action = leadingAction(incident, picture.actions);
  const lead: readonly Coded[] =
    primaryLost.has(incident.cause.kind) && incident.cluster !== null
      ? [coded("status", "lost-primary", { cluster: incident.cluster, agoMs })]
      : [incidentTitle(incident), coded("status", "since", { agoMs })];
  const response = responseOf(incident, action, cluster);
  const rest = response === null ? lead : [...lead, response];
  return incident.phase === "resolved" && response?.code !== "resolved" ? [...rest, coded("status", "resolved")] : rest;
}

/** The action that answers for the incident: the one that moves the primary, else the newest. */
function leadingAction(incident: IncidentView, actions: readonly ActionView[]): ActionView | undefined {
  const own = actions
    .filter((action) => incident.actionIds.includes(action.id) || action.incidentId === incident.id)
    .sort((a, b) => b.startedAt - a.startedAt);
  return own.find((action) => action.kind === "failover") ?? own[0];
}

/** What Holdfast did, does or waits for. */
function responseOf(
  incident: IncidentView,
  action: ActionView | undefined,
  cluster: ClusterView | undefined,
): Coded | null {
  if (action !== undefined) {
    const data = { from: action.from, target: action.target, cluster: action.cluster };
    if (action.phase === "running") return coded("status", `doing-${action.kind}`, { ...data, step: action.state });
    if (action.phase === "needs-operator" || action.phase === "failed") {
      return incident.phase === "mitigated" || incident.phase === "resolved"
        ? null
        : coded("status", "needs-operator", data);
    }
    if (action.phase === "done") return outcomeOf(incident, action);
  }
  if (incident.phase === "resolved") return coded("status", "resolved");
  if (cluster !== undefined && cluster.automation.state !== "on")
    return coded("status", "held", { cluster: cluster.id });
  if (cluster?.refusal != null) return coded("status", "refused");
  return coded("status", "watching");
}

function outcomeOf(incident: IncidentView, action: ActionView): Coded {
  const { acknowledgedLost: lost, writesUnavailableMs } = incident.impact;
  const tookMs =
    writesUnavailableMs ??
    (action.endedAt === null ? null : action.endedAt - (action.firstSignalAt ?? action.startedAt));
  const data = { target: action.target, tookMs, lost };
  if (action.kind !== "failover" && action.kind !== "switchover") return coded("status", `done-${action.kind}`, data);
  if (lost === null) return coded("status", "took-over", data);
  return coded("status", lost === 0 ? "took-over-none-lost" : "took-over-lost", data);
}

function aboutTheRest(picture: Picture, nowMs: number): readonly Coded[] {
  const running = picture.actions.find((action) => action.phase === "running" && action.kind !== "reconfigure");
  if (running !== undefined) {
    return [
      coded("status", `running-${running.kind}`, {
        cluster: running.cluster,
        from: running.from,
        target: running.target,
      }),
    ];
  }
  const [worst, ...others] = findProblems(picture).filter((problem) => problem.state !== "maintenance");
  if (worst !== undefined) {
    const since = coded("status", "since", { agoMs: wholeSeconds(nowMs - worst.since) });
    return others.length === 0
      ? [worst.title, since]
      : [worst.title, since, coded("status", "others", { count: others.length })];
  }
  if (picture.clusters.length === 0) return [coded("status", "calm-nodes", { count: picture.nodes.length })];
  const protectedAll = picture.clusters.every(
    (cluster) => cluster.durability.mode === "sync" && !cluster.reducedDurability,
  );
  return [
    coded("status", picture.clusters.length === 1 ? "calm-one" : "calm", {
      count: picture.clusters.length,
      cluster: picture.clusters[0]?.id ?? null,
    }),
    coded("status", protectedAll ? "calm-protected" : "calm-async"),
  ];
}

function composeSubline(picture: Picture): readonly Coded[] {
  const healthy = picture.nodes.filter((node) => node.state === "healthy").length;
  const reduced = picture.clusters.filter((cluster) => cluster.reducedDurability);
  const parts: Coded[] = [];
  const first = reduced[0];
  if (first !== undefined) {
    parts.push(coded("status", "reduced", { count: reduced.length, of: picture.clusters.length, cluster: first.id }));
  }
  parts.push(coded("status", "nodes", { count: picture.nodes.length, healthy }));
  const automation = summarizeAutomation(picture.clusters);
  if (automation.of > 0)
    parts.push(coded("status", `automation-${automation.state}`, { count: automation.count, of: automation.of }));
  return parts;
}

/** Ages in a sentence are told in whole seconds, and never as less than one. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.floor(ms / 1_000)) * 1_000;
}
