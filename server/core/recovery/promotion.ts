import {
  commandStep,
  type Draft,
  demand,
  getAction,
  getCluster,
  noteStep,
  patchAction,
  patchCluster,
  wakeAt,
} from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import { isWitness } from "../topology/sight.ts";
import { endAction } from "./actions.ts";
import { judgeAsyncSeals, tellLoss } from "./async-failover.ts";
import { provenBy, pursueFencing } from "./fencing.ts";
import { comingHistory, sendFollows } from "./follow.ts";
import { demotedCleanly, tellFormerPrimary } from "./former-primary.ts";
import { leaseFor } from "./lease-renewal.ts";
import { reckonLoss } from "./loss.ts";
import { currentConfiguration, endpoints } from "./members.ts";
import { chooseCandidate, holdsQuorum, unionConfigurations } from "./quorum.ts";
import { advanceRegranting, canRegrant, holdAutomation, startRegrant } from "./regrant.ts";
import { hasSteppedDown, steppedDownKey } from "./restart.ts";
import { askForSeals, countableSeals } from "./sealing.ts";
import type { Action, ClusterRecord, EpochRecord, MemberRecord } from "./types.ts";
import { hasWaited, pauseBeforeNext, stopWaiting } from "./waiting.ts";

/**
 * Seal, then promote: the part that failover and switchover share. See docs/failover.md, "Seal, then promote".
 * Every function here looks at the committed intent and at what has come back, and takes the next step if it can: it may be called at
 * any time, any number of times, also by a control plane that has just been started again.
 */

/** How long to wait for the rest once a quorum is sealed: a later reply may name a higher LSN among equals in safety. */
const stragglerMs = 150;
/** A seal that found no quorum for this long is given up when the old primary can be granted again. */
const sealDeadlineMs = 8_000;
const verifyDeadlineMs = 5_000;
/** One that handed over is started again after the first write, or so long after the promotion: a start takes what that write needs where they share a machine. */
const formerWaitsMs = 500;
/** After so many the action ends unverified, so that another standby can take the place of the lost follower. */
const verifyAttempts = 4;
/** Five minutes of attempts to promote at a server that does not answer, then a person is asked. */
const mostPromotes = 40;
/** Distance between two attempts to verify; doubles up to the second. */
const verifyAgainMs = { first: 500, most: 8_000 };

/** Moves a failover or switchover forward as far as what is known allows. */
export function advancePromotion(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  switch (action.state) {
    case "sealing":
      return advanceSealing(draft, action);
    case "promoting":
      return advancePromoting(draft, action);
    case "verifying":
      return advanceVerifying(draft, action);
    case "regranting":
      return advanceRegranting(draft, action);
    default:
      return;
  }
}

function advanceSealing(draft: Draft, before: Action): void {
  pursueFencing(draft, before.id);
  askForSeals(draft, before.id);
  const action = demand(getAction(draft, before.id), before.id);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const seals = action.steps.filter((step) => step.kind === "seal");
  const counted = countableSeals(cluster, action);
  const configurations = unionConfigurations(
    cluster.configurations,
    counted.map((member) => member.configurations),
  );
  const { durability } = cluster;
  const k = durability.mode === "sync" ? durability.k : 0;
  const judged = durability.mode === "async" ? judgeAsyncSeals(draft, action, cluster, counted) : null;
  const enough =
    judged === null
      ? holdsQuorum(new Set(counted.map((member) => member.node)), configurations) && counted.length - 1 >= k
      : judged === "ready";
  const pending = seals.filter((step) => step.status === "running");
  const waited = counted.length > 0 && hasWaited(draft, cluster.id, `${action.id}:stragglers`, stragglerMs);
  if (enough && (pending.length === 0 || waited)) return decidePromotion(draft, action, cluster);
  if (enough) return;
  if (judged === "refused" && (pending.length === 0 || waited)) {
    tellLoss(draft, action.id, cluster, counted);
    if (canRegrant(draft, action)) return startRegrant(draft, demand(getAction(draft, action.id), action.id));
  }
  const overdue = hasWaited(draft, cluster.id, `${action.id}:sealing`, sealDeadlineMs);
  if (overdue && canRegrant(draft, action)) return startRegrant(draft, action);
  wakeAt(draft, draft.now.monoMs + 500);
}

/** One transaction stores the new epoch, its primary, its configuration and its timeline; the commands leave only after it. */
function decidePromotion(draft: Draft, action: Action, cluster: ClusterRecord): void {
  const counted = countableSeals(cluster, action);
  const complete = holdingShutdown(action, counted);
  const { chosen, verdicts } = chooseCandidate(cluster, complete, action.target);
  if (chosen === null) {
    if (canRegrant(draft, action)) return startRegrant(draft, action);
    return endAction(draft, action.id, "needs-operator", { code: "no-candidate", data: {} });
  }
  const candidate = demand(
    counted.find((member) => member.node === chosen),
    "the candidate's seal",
  );
  const followers = counted
    .map((member) => member.node)
    .filter((node) => node !== chosen)
    .sort();
  const k = cluster.durability.mode === "sync" ? cluster.durability.k : 0;
  const configuration: SyncConfiguration = {
    epoch: action.epoch,
    version: cluster.configVersion + 1,
    k,
    members: followers,
    ...leaseFor(draft, cluster, followers),
  };
  const known = Math.max(...counted.map((member) => member.timeline), cluster.epochs.at(-1)?.timeline ?? 1);
  const timeline = Math.max(known, cluster.highestTimeline) + 1;
  patchCluster(draft, cluster.id, { highestTimeline: timeline });
  grantPrimary(draft, cluster, action, chosen, {
    configuration,
    followers,
    retained: counted.map((member) => member.configurations),
  });
  patchAction(draft, action.id, {
    state: "promoting",
    target: chosen,
    candidates: verdicts,
    configuration,
    promoteSent: true,
  });
  noteStep(draft, action.id, "decide", chosen, {
    lsn: candidate.lsn,
    epoch: action.epoch,
    sealed: counted.length,
  });
  const grant = { epoch: action.epoch, intentId: action.intentId, configVersion: configuration.version };
  const granted = demand(getCluster(draft, cluster.id), cluster.id);
  commandStep(draft, action.id, {
    ...grant,
    kind: "promote",
    node: chosen,
    verb: { verb: "postgres.promote", args: { configuration, peers: endpoints(granted), timeline } },
  });
  sendFollows(draft, action.id, granted, followers, { ...grant, history: comingHistory(cluster, candidate, timeline) });
  tellFormerPrimary(draft, action.id, "decided");
  appendActionEntry(draft, action.id, "promotion-decided", { node: chosen, epoch: action.epoch });
}

/** In a planned change only who holds the old primary's last checkpoint may take over; nobody, when that is not known. */
function holdingShutdown(action: Action, counted: Action["sealed"]): Action["sealed"] {
  const demote = action.steps.find((step) => step.kind === "demote" && step.status === "done");
  if (demote === undefined) return counted;
  const { lsn } = demote.data;
  return typeof lsn === "number" ? counted.filter((member) => member.lsn >= lsn) : [];
}

/** The epoch is opened: who was sealed stays a member, everybody else is fenced until it has rejoined. */
function grantPrimary(
  draft: Draft,
  cluster: ClusterRecord,
  action: Action,
  chosen: string,
  next: {
    readonly configuration: SyncConfiguration;
    readonly followers: readonly string[];
    readonly retained: readonly (readonly SyncConfiguration[])[];
  },
): void {
  const members: Record<string, MemberRecord> = {};
  for (const member of Object.values(cluster.members)) {
    const kept =
      member.id === chosen ||
      next.followers.includes(member.id) ||
      member.standing !== "member" ||
      member.id === demotedCleanly(action);
    members[member.id] = kept ? member : { ...member, standing: "fenced" };
  }
  const epochRecord: EpochRecord = {
    epoch: action.epoch,
    intentId: action.intentId,
    primary: chosen,
    timeline: null,
    switchLsn: null,
    at: draft.now.wallMs,
    cause: action.kind === "switchover" ? "switchover" : "failover",
    by: action.by,
    reason: action.reason,
    actionId: action.id,
    unavailableMs: null,
    lost: null,
    ...describeLoss(draft, cluster, action),
  };
  patchCluster(draft, cluster.id, {
    epoch: action.epoch,
    grantId: action.intentId,
    primary: chosen,
    members,
    // The old configurations stay until a write was verified under the new one: if the candidate dies first, the next quorum needs them.
    configurations: [...unionConfigurations(cluster.configurations, next.retained), next.configuration],
    configVersion: next.configuration.version,
    epochs: [...cluster.epochs, epochRecord],
    budgetUsedAt:
      action.automatic && action.kind === "failover"
        ? [...cluster.budgetUsedAt, draft.now.wallMs]
        : cluster.budgetUsedAt,
  });
}

/** What an asynchronous promotion may cost stands in the cluster's history; a synchronous one costs nothing. */
function describeLoss(
  draft: Draft,
  cluster: ClusterRecord,
  action: Action,
): Pick<EpochRecord, "possibleLoss" | "fencedBy"> {
  if (cluster.durability.mode !== "async") return {};
  const possibleLoss = reckonLoss(draft, action, cluster, countableSeals(cluster, action));
  const fencedBy = provenBy(action) ?? undefined;
  appendActionEntry(draft, action.id, "loss-announced", {
    bytes: possibleLoss.atMostBytes,
    knownBytes: possibleLoss.knownBytes,
    by: fencedBy ?? null,
  });
  return { possibleLoss, fencedBy };
}

function advancePromoting(draft: Draft, action: Action): void {
  const promotes = action.steps.filter((step) => step.kind === "promote");
  const last = promotes.at(-1);
  if (last?.status === "done") return recordPromotion(draft, action, last.data);
  const newest = action.steps.filter((step) => step.kind === "promote" || step.kind === "restart").at(-1);
  if (last?.status !== "failed" || newest?.status === "running") return;
  tellFormerPrimary(draft, action.id, "promoted");
  const target = demand(action.target, "target");
  if (promotes.length >= mostPromotes) {
    holdAutomation(draft, action.cluster, "promotion-failed");
    return endAction(draft, action.id, "needs-operator", { code: "promotion-failed", data: { node: target } });
  }
  const pauseMs = pauseBeforeNext(draft, target, promotes.length);
  if (!hasWaited(draft, action.cluster, `${action.id}:promote:${action.steps.length}`, pauseMs)) return;
  const live = draft.state.live.nodes.get(target)?.postgres ?? null;
  if (newest?.kind === "promote" && live?.state === "stopped" && isWitness(draft.state, target, draft.now)) {
    return sendStart(draft, action, target);
  }
  sendPromote(draft, action, target);
}

/**
 * The candidate can only go forward, so a promotion of unknown outcome is asked for again (a hung server wakes up, an agent comes back). Each
 * attempt has a timeline number of its own: the one before may have been opened.
 */
function sendPromote(draft: Draft, action: Action, target: string): void {
  const before = demand(getCluster(draft, action.cluster), action.cluster);
  const cluster = patchCluster(draft, before.id, { highestTimeline: before.highestTimeline + 1 });
  const configuration = demand(action.configuration, "configuration");
  commandStep(draft, action.id, {
    kind: "promote",
    node: target,
    verb: {
      verb: "postgres.promote",
      args: { configuration, peers: endpoints(cluster), timeline: cluster.highestTimeline },
    },
    epoch: action.epoch,
    intentId: action.intentId,
    configVersion: configuration.version,
  });
}

/** The candidate's server ended before it was promoted: it is started as the standby it was. */
function sendStart(draft: Draft, action: Action, target: string): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const configuration = demand(action.configuration, "configuration");
  commandStep(draft, action.id, {
    kind: "restart",
    node: target,
    verb: { verb: "postgres.restart", args: { as: "standby", configuration, peers: endpoints(cluster) } },
    epoch: action.epoch,
    intentId: action.intentId,
  });
}

function recordPromotion(draft: Draft, action: Action, data: Action["steps"][number]["data"]): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const timeline = typeof data.timeline === "number" ? data.timeline : null;
  const switchLsn = typeof data.switchLsn === "number" ? data.switchLsn : null;
  const epochs = cluster.epochs.map((record) =>
    record.epoch === action.epoch ? { ...record, timeline, switchLsn } : record,
  );
  patchCluster(draft, cluster.id, { epochs });
  patchAction(draft, action.id, { state: "verifying" });
  appendActionEntry(draft, action.id, "promoted", { node: action.target, timeline, epoch: action.epoch });
  sendVerify(draft, action.id);
  // One that is down is fenced before its rejoin begins, not into it.
  if (demotedCleanly(action) === null) tellFormerPrimary(draft, action.id, "promoted");
  else hasWaited(draft, action.cluster, formerKey(action), formerWaitsMs);
}

function formerKey({ id }: Action): string {
  return `${id}:former`;
}

function sendVerify(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  commandStep(draft, actionId, {
    kind: "verify",
    node: demand(action.target, "target"),
    verb: { verb: "postgres.verify", args: { deadlineMs: verifyDeadlineMs } },
    epoch: action.epoch,
    intentId: action.intentId,
  });
}

/** A write acknowledged by a follower proves the new epoch: only now may the older configurations be forgotten. */
function advanceVerifying(draft: Draft, action: Action): void {
  const last = action.steps.filter((step) => step.kind === "verify").at(-1);
  const isOver = last?.status === "done" || last?.status === "failed";
  const mayTell = isOver || hasWaited(draft, action.cluster, formerKey(action), formerWaitsMs);
  if (demotedCleanly(action) !== null && mayTell) {
    tellFormerPrimary(draft, action.id, "promoted");
    // What is sent now would be dropped with the action's end: that is for the next look.
    const isTold = demand(getAction(draft, action.id), action.id).steps.length > action.steps.length;
    if (isTold) return wakeAt(draft, draft.now.monoMs + 1);
  }
  if (last?.status === "done") {
    const cluster = demand(getCluster(draft, action.cluster), action.cluster);
    patchCluster(draft, action.cluster, {
      configurations: cluster.configurations.filter((c) => c.epoch === action.epoch),
    });
    appendActionEntry(draft, action.id, "verified", { node: action.target, durationMs: last.data.ms ?? null });
    return endAction(draft, action.id, "done", null);
  }
  if (last?.status !== "failed") return;
  returnOrVerifyAgain(draft, action);
}

/** No follower yet: one may still be rejoining. Or the new primary itself was started again meanwhile, fenced: then it is told to go on. */
function returnOrVerifyAgain(draft: Draft, action: Action): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const node = demand(action.target, "target");
  const newest = action.steps.filter((step) => step.kind === "verify" || step.kind === "restart").at(-1);
  if (newest?.kind === "restart" && newest.status === "running") return;
  if (newest?.kind === "restart" && newest.status === "done") return sendVerify(draft, action.id);
  const attempts = action.steps.filter((step) => step.kind === "verify").length;
  const pauseMs = Math.min(verifyAgainMs.most, verifyAgainMs.first * 2 ** (attempts - 1));
  if (!hasWaited(draft, cluster.id, `${action.id}:verify:${action.steps.length}`, pauseMs)) return;
  const configuration = currentConfiguration(cluster);
  if (configuration === null || !hasSteppedDown(draft, cluster, node)) {
    if (attempts < verifyAttempts) return sendVerify(draft, action.id);
    // Its followers are gone. The older configurations stay recorded; whoever streams now is put into the set behind its own barrier.
    return endAction(draft, action.id, "done", { code: "unverified", data: { node } });
  }
  stopWaiting(draft, cluster.id, steppedDownKey(node));
  commandStep(draft, action.id, {
    kind: "restart",
    node,
    verb: { verb: "postgres.restart", args: { as: "primary", configuration, peers: endpoints(cluster) } },
    epoch: action.epoch,
    intentId: action.intentId,
  });
}
