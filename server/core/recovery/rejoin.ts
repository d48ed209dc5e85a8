import {
  commandStep,
  type Draft,
  demand,
  getAction,
  getCluster,
  patchAction,
  patchCluster,
  runningActions,
  wakeAt,
} from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { PostgresStatus } from "../replication/status.ts";
import { isWitness } from "../topology/sight.ts";
import { beginAction, endAction } from "./actions.ts";
import { endpointOf, isPrimaryRunning, isStreaming } from "./members.ts";
import type { Action, ClusterRecord, MemberRecord } from "./types.ts";

/** A failed rejoin is tried again after this long. */
const retryAfterMs = 5_000;
/** A member whose stream is gone for this long is told again whom to follow. */
const streamGoneMs = 3_000;
/** A follow that does not stream within this time did not fit: rewind or clone. */
const followDeadlineMs = 6_000;
/** A fenced server that does not tell its position within this time is cloned without it. */
const positionDeadlineMs = 8_000;

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
    if (member.id === cluster.primary || busy.has(member.id) || member.standing === "quarantined") continue;
    if (!isWitness(draft.state, member.id, draft.now) || recentlyFailed(draft, cluster, member.id)) continue;
    const status = draft.state.live.nodes.get(member.id)?.postgres ?? null;
    if (status === null || status.state === "rejoining" || status.state === "starting") continue;
    const mode = needsRejoin(draft, cluster, member, status);
    if (mode !== null) startRejoin(draft, cluster, member, mode, "holdfast", "repair");
  }
}

function recentlyFailed(draft: Draft, cluster: ClusterRecord, node: string): boolean {
  for (const action of draft.state.durable.actions.values()) {
    const failed =
      action.cluster === cluster.id && action.kind === "rejoin" && action.target === node && action.phase === "failed";
    if (failed && draft.now.wallMs - (action.endedAt ?? 0) < retryAfterMs) return true;
  }
  return false;
}

/** How the member has to come back, or null when it streams (or has to be given a moment). */
function needsRejoin(draft: Draft, cluster: ClusterRecord, member: MemberRecord, status: PostgresStatus): Mode | null {
  if (status.state === "empty") return "clone";
  const streaming = isStreaming(draft.state, cluster, member.id);
  if (member.standing === "member" && !member.cloneOnly) {
    return streaming || !goneFor(draft, cluster, member.id, "stream", streamGoneMs) ? null : "follow";
  }
  if (member.cloneOnly) return "clone";
  if (status.systemId !== null && cluster.systemId !== null && status.systemId !== cluster.systemId) return "clone";
  if (status.lsn === null || status.timeline === null || status.state !== "running") {
    if (!goneFor(draft, cluster, member.id, "position", positionDeadlineMs)) return null;
    return status.canRewind ? "rewind" : "clone";
  }
  forget(draft, cluster, member.id, "position");
  if (status.role === "standby" && isWithinHistory(cluster, status.timeline, status.lsn)) return "follow";
  return status.canRewind ? "rewind" : "clone";
}

/**
 * True when a server at this position has nothing that the primary's history lacks: it may simply follow. It must not be past the
 * point at which a later timeline left its own. Source: PostgreSQL manual, "Timelines".
 */
export function isWithinHistory(cluster: ClusterRecord, timeline: number, lsn: number): boolean {
  const current = cluster.epochs.at(-1)?.timeline ?? null;
  if (current === null || timeline > current) return false;
  const next = cluster.epochs.find((record) => record.timeline !== null && record.timeline > timeline);
  return next === undefined || (next.switchLsn !== null && lsn <= next.switchLsn);
}

/** Remembers since when a condition holds; true once it has held for so long. */
function goneFor(draft: Draft, cluster: ClusterRecord, node: string, what: string, forMs: number): boolean {
  const live = draft.state.live.clusters.get(cluster.id);
  if (live === undefined) return false;
  const key = `${what}:${node}`;
  const since = live.since.get(key);
  if (since === undefined) {
    live.since.set(key, draft.now.monoMs);
    wakeAt(draft, draft.now.monoMs + forMs);
    return false;
  }
  return draft.now.monoMs - since >= forMs;
}

function forget(draft: Draft, cluster: ClusterRecord, node: string, what: string): void {
  draft.state.live.clusters.get(cluster.id)?.since.delete(`${what}:${node}`);
}

export function forgetStreams(draft: Draft, cluster: ClusterRecord): void {
  for (const node of Object.keys(cluster.members)) {
    if (isStreaming(draft.state, cluster, node)) {
      forget(draft, cluster, node, "stream");
      forget(draft, cluster, node, "position");
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
  forget(draft, cluster, member.id, "stream");
  forget(draft, cluster, member.id, "position");
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
        ? { verb: "postgres.follow", args: { primary, configurations } }
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
  if (step.status === "failed") return step.kind === "clone" ? fail(draft, action) : fallBack(draft, action, step.kind);
  if (step.status !== "done") return;
  if (isStreaming(draft.state, cluster, node)) return welcome(draft, cluster, action, node);
  const waitedMs = draft.now.wallMs - (step.endedAt ?? draft.now.wallMs);
  const limitMs = step.kind === "clone" ? 4 * followDeadlineMs : followDeadlineMs;
  if (waitedMs < limitMs) return wakeAt(draft, draft.now.monoMs + Math.min(500, limitMs - waitedMs));
  return step.kind === "clone" ? fail(draft, action) : fallBack(draft, action, step.kind);
}

/** What did not fit by following is rewound; what can't be rewound is cloned. */
function fallBack(draft: Draft, action: Action, kind: string): void {
  const status = draft.state.live.nodes.get(demand(action.target, "target"))?.postgres ?? null;
  sendRejoin(draft, action.id, kind === "follow" && status?.canRewind ? "rewind" : "clone");
}

function fail(draft: Draft, action: Action): void {
  const data = action.steps.at(-1)?.data ?? {};
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
