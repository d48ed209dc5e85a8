import {
  commandStep,
  type Draft,
  demand,
  getAction,
  getCluster,
  getNode,
  patchAction,
  patchCluster,
  runningActions,
} from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { PostgresStatus } from "../replication/status.ts";
import { fitsHistory } from "../replication/timelines.ts";
import { holdsAutomation } from "../topology/maintenance.ts";
import { isWitness } from "../topology/sight.ts";
import { beginAction, endAction } from "./actions.ts";
import { historyOf } from "./follow.ts";
import { endpointOf, isPrimaryRunning, isStreaming } from "./members.ts";
import type { Action, ClusterRecord, MemberRecord } from "./types.ts";
import { forgetRetries, hasWaited, isTooSoon, stopWaiting } from "./waiting.ts";

/** A failed rejoin is tried again after this long. */
const retryAfterMs = 5_000;
/** A member whose stream is gone for this long is told again whom to follow. */
const streamGoneMs = 3_000;
/** A follow that does not stream within this time did not fit: rewind or clone. */
const followDeadlineMs = 6_000;
/** A fenced server that does not tell its position within this time is cloned without it. */
const positionDeadlineMs = 8_000;

/** Refusals by which an agent protects data that it was never granted. */
const notOurs: ReadonlySet<string> = new Set(["foreign-system", "not-ours"]);

type Mode = "follow" | "rewind" | "clone";

/** Brings back every member that is not streaming: repair in place, without an operator. */
export function considerRejoins(draft: Draft, cluster: ClusterRecord): void {
  if (!isPrimaryRunning(draft.state, cluster)) return;
  const busy = new Set(
    runningActions(draft, cluster.id)
      .filter((action) => action.kind === "rejoin")
      .map((action) => action.target),
  );
  for (const member of Object.values(cluster.members)) {
    if (member.id === cluster.primary || busy.has(member.id)) continue;
    if (holdsAutomation(getNode(draft, member.id)?.maintenance, draft.now.wallMs)) continue;
    if (!isWitness(draft.state, member.id, draft.now)) continue;
    if (isTooSoon(draft, cluster.id, "rejoin", member.id, retryAfterMs)) continue;
    const status = draft.state.live.nodes.get(member.id)?.postgres ?? null;
    if (status === null || status.state === "rejoining" || status.state === "starting") continue;
    if (isStranger(cluster, member, status)) {
      quarantine(draft, cluster.id, member);
      continue;
    }
    const mode = needsRejoin(draft, cluster, member, status);
    if (mode !== null) startRejoin(draft, cluster, member, mode, "holdfast", "repair");
  }
}

/**
 * Data that is not ours to overwrite: another system's, or a primary that nobody granted (promoted by hand, or somebody's own server under
 * a wrong cluster name). A person has to look; once its directory is empty it is cloned like any new member.
 */
export function isStranger(cluster: ClusterRecord, member: MemberRecord, status: PostgresStatus): boolean {
  if (status.state === "empty") return false;
  if (status.systemId !== null && cluster.systemId !== null && status.systemId !== cluster.systemId) return true;
  const wasGranted = cluster.epochs.some((record) => record.primary === member.id);
  return status.state === "running" && status.role === "primary" && !wasGranted;
}

function quarantine(draft: Draft, clusterId: string, member: MemberRecord): void {
  if (member.standing === "quarantined") return;
  const cluster = demand(getCluster(draft, clusterId), clusterId);
  patchCluster(draft, clusterId, {
    members: { ...cluster.members, [member.id]: { ...member, standing: "quarantined" } },
  });
}

/** How the member has to come back, or null when it streams (or has to be given a moment). */
function needsRejoin(draft: Draft, cluster: ClusterRecord, member: MemberRecord, status: PostgresStatus): Mode | null {
  if (status.state === "empty") return "clone";
  // It was a stranger: what it holds now may be anything, until a person has emptied it or put it right by hand.
  if (member.standing === "quarantined") return null;
  const streaming = isStreaming(draft.state, cluster, member.id);
  if (member.standing === "member" && !member.cloneOnly) {
    return streaming || !hasWaited(draft, cluster.id, `stream:${member.id}`, streamGoneMs) ? null : "follow";
  }
  if (member.cloneOnly) return "clone";
  // Fenced and stopped: its agent starts it as a standby of nobody, and lets it stream when it has nothing of its own.
  if (status.state === "stopped") return "follow";
  if (status.lsn === null || status.timeline === null || status.state !== "running") {
    if (!hasWaited(draft, cluster.id, `position:${member.id}`, positionDeadlineMs)) return null;
    return status.canRewind ? "rewind" : "clone";
  }
  stopWaiting(draft, cluster.id, `position:${member.id}`);
  if (status.role === "standby" && isWithinHistory(cluster, status.timeline, status.lsn)) return "follow";
  return status.canRewind ? "rewind" : "clone";
}

/** False while the present epoch's timeline is not known yet. */
export function isWithinHistory(cluster: ClusterRecord, timeline: number, lsn: number): boolean {
  return cluster.epochs.at(-1)?.timeline != null && fitsHistory(historyOf(cluster), timeline, lsn);
}

export function forgetStreams(draft: Draft, cluster: ClusterRecord): void {
  for (const node of Object.keys(cluster.members)) {
    if (isStreaming(draft.state, cluster, node)) {
      stopWaiting(draft, cluster.id, `stream:${node}`);
      stopWaiting(draft, cluster.id, `position:${node}`);
    }
  }
}

export function startRejoin(
  draft: Draft,
  cluster: ClusterRecord,
  member: MemberRecord,
  mode: Mode,
  by: string,
  reason: string,
): Action {
  const incident = [...draft.state.durable.incidents.values()].find(
    (item) => item.cluster === cluster.id && item.resolvedAt === null,
  );
  const action = beginAction(draft, {
    kind: "rejoin",
    cluster: cluster.id,
    state: mode,
    by,
    automatic: by === "holdfast",
    reason,
    incidentId: incident?.id ?? null,
    target: member.id,
    opensEpoch: false,
  });
  sendRejoin(draft, action.id, mode);
  forgetRetries(draft, cluster.id, "rejoin", member.id);
  stopWaiting(draft, cluster.id, `stream:${member.id}`);
  stopWaiting(draft, cluster.id, `position:${member.id}`);
  return action;
}

function sendRejoin(draft: Draft, actionId: string, mode: Mode): void {
  const action = patchAction(draft, actionId, { state: mode });
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const primary = endpointOf(cluster, demand(cluster.primary, "primary"));
  const { configurations } = cluster;
  commandStep(draft, actionId, {
    kind: mode,
    node: demand(action.target, "target"),
    verb:
      mode === "follow"
        ? { verb: "postgres.follow", args: { primary, configurations, history: historyOf(cluster) } }
        : { verb: "postgres.rejoin", args: { primary, mode, configurations } },
    epoch: cluster.epoch,
    intentId: demand(cluster.grantId, "grant"),
  });
}

export function advanceRejoin(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  if (cluster.epoch !== action.epoch || cluster.primary === action.target) {
    return endAction(draft, actionId, "aborted", { code: "superseded", data: { epoch: cluster.epoch } });
  }
  const node = demand(action.target, "target");
  const step = demand(action.steps.at(-1), "a step");
  if (step.status === "failed") {
    const { code } = step.data;
    const recovers = draft.state.live.nodes.get(node)?.postgres?.state === "starting" && code !== "diverged";
    // What is not known yet, or still recovers, is no reason to overwrite it: it is asked again.
    const isFinal = step.kind === "clone" || code === "position-unknown" || recovers;
    return isFinal ? fail(draft, action) : fallBack(draft, action, step.kind);
  }
  if (step.status !== "done") return;
  if (isStreaming(draft.state, cluster, node) && !hasDiverged(draft, cluster, node))
    return welcome(draft, cluster, action, node);
  const limitMs = step.kind === "clone" ? 4 * followDeadlineMs : followDeadlineMs;
  const waited = hasWaited(draft, cluster.id, `${action.id}:${action.steps.length}`, limitMs);
  if (!waited && (step.kind !== "follow" || !hasDiverged(draft, cluster, node))) return;
  return step.kind === "clone" ? fail(draft, action) : fallBack(draft, action, step.kind);
}

function missesPrimary(draft: Draft, node: string, primary: string): boolean {
  const sight = draft.state.live.nodes.get(node)?.peers.find((peer) => peer.node === primary);
  return sight?.reach === "failed";
}

/** A server that tells a position past the fork can't stream, however long one waits, and whatever the primary's walsender says of it. */
function hasDiverged(draft: Draft, cluster: ClusterRecord, node: string): boolean {
  const live = draft.state.live.nodes.get(node);
  const status = live?.postgres ?? null;
  if (status === null || status.state !== "running" || status.role !== "standby") return false;
  if (status.timeline === null || status.lsn === null || !isWitness(draft.state, node, draft.now)) return false;
  return !isWithinHistory(cluster, status.timeline, status.lsn);
}

/**
 * What did not fit by following is rewound; what can't be rewound is cloned. A member that itself does not reach the primary is left as it is:
 * its server would be stopped for nothing, and could be needed for a quorum.
 */
function fallBack(draft: Draft, action: Action, kind: string): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const node = demand(action.target, "target");
  if (cluster.primary !== null && missesPrimary(draft, node, cluster.primary)) return fail(draft, action);
  const status = draft.state.live.nodes.get(node)?.postgres ?? null;
  sendRejoin(draft, action.id, kind === "follow" && status?.canRewind ? "rewind" : "clone");
}

function fail(draft: Draft, action: Action): void {
  const data = action.steps.at(-1)?.data ?? {};
  const member = getCluster(draft, action.cluster)?.members[action.target ?? ""];
  // The agent itself found data there that nobody granted: asking again won't help, a person has to look.
  if (member !== undefined && notOurs.has(String(data.code))) quarantine(draft, action.cluster, member);
  endAction(draft, action.id, "failed", {
    code: "rejoin-failed",
    data: { node: action.target, detail: data.detail ?? null },
  });
}

function welcome(draft: Draft, cluster: ClusterRecord, action: Action, node: string): void {
  const member = demand(cluster.members[node], node);
  patchCluster(draft, cluster.id, {
    members: { ...cluster.members, [node]: { ...member, standing: "member", cloneOnly: false } },
  });
  appendActionEntry(draft, action.id, "member-streaming", { node, mode: action.state });
  endAction(draft, action.id, "done", null);
}
