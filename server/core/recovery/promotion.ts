import {
  appendAudit,
  commandStep,
  type Draft,
  demand,
  dropCommands,
  getAction,
  getCluster,
  noteStep,
  patchAction,
  patchCluster,
  wakeAt,
} from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import { isWitness, seeAgent } from "../topology/sight.ts";
import { endAction } from "./actions.ts";
import { endpointOf, endpoints } from "./members.ts";
import { chooseCandidate, holdsQuorum, unionConfigurations } from "./quorum.ts";
import type { Action, ClusterRecord, EpochRecord, MemberRecord } from "./types.ts";

/**
 * Seal, then promote: the part that failover and switchover share. See failover.md, "Seal, then promote".
 * Every function here looks at the committed intent and at what has come back, and takes the next step if it can: it may be called at
 * any time, any number of times, also by a control plane that has just been started again.
 */

/** How long to wait for the rest once a quorum is sealed: a later reply may name a higher LSN among equals in safety. */
const stragglerMs = 150;
/** A seal that found no quorum for this long is given up when the old primary can be granted again. */
const sealDeadlineMs = 8_000;
const verifyDeadlineMs = 5_000;

/** Standbys that can be asked to seal right now. */
export function sealableMembers(draft: Draft, cluster: ClusterRecord): string[] {
  return Object.values(cluster.members)
    .filter((member) => member.standing === "member" && member.id !== cluster.primary)
    .filter((member) => isWitness(draft.state, member.id, draft.now))
    .filter((member) => draft.state.live.nodes.get(member.id)?.postgres?.state === "running")
    .map((member) => member.id)
    .sort();
}

/** Ask, promise nothing: would sealing these members make a failover possible? Null when it would, else why not. */
export function explainNoQuorum(
  cluster: ClusterRecord,
  sealable: readonly string[],
): { code: string; data: Action["steps"][number]["data"] } | null {
  const { durability } = cluster;
  if (durability.mode === "async") return { code: "async-needs-fencing", data: {} };
  if (!holdsQuorum(new Set(sealable), cluster.configurations)) {
    const needed = Math.max(...cluster.configurations.map((c) => c.members.length - c.k + 1));
    return { code: "no-quorum", data: { sealable: sealable.length, needed } };
  }
  if (sealable.length - 1 < durability.k) {
    return { code: "too-few-followers", data: { followers: Math.max(0, sealable.length - 1), k: durability.k } };
  }
  return null;
}

export function enterSealing(draft: Draft, actionId: string): void {
  patchAction(draft, actionId, { state: "sealing" });
  askForSeals(draft, actionId);
}

/** Sends a seal to every reachable standby that was not asked under this intent yet. */
function askForSeals(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const asked = new Set(action.steps.filter((step) => step.kind === "seal").map((step) => step.node));
  for (const node of sealableMembers(draft, cluster)) {
    if (asked.has(node) || node === action.from) continue;
    commandStep(draft, actionId, {
      kind: "seal",
      node,
      verb: { verb: "postgres.seal", args: {} },
      epoch: action.epoch,
      intentId: action.intentId,
    });
  }
}

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
  const enough = holdsQuorum(new Set(counted.map((member) => member.node)), configurations) && counted.length - 1 >= k;
  const pending = seals.filter((step) => step.status === "running");
  const firstDoneAt = Math.min(
    ...seals.filter((step) => step.status === "done").map((step) => step.endedAt ?? draft.now.wallMs),
  );
  if (enough && (pending.length === 0 || draft.now.wallMs - firstDoneAt >= stragglerMs)) {
    return decidePromotion(draft, action, cluster);
  }
  if (enough) return wakeAt(draft, draft.now.monoMs + stragglerMs);
  const since =
    seals.length === 0 ? action.startedAt : Math.min(...seals.map((step) => step.startedAt ?? action.startedAt));
  if (draft.now.wallMs - since >= sealDeadlineMs && canRegrant(draft, action)) return startRegrant(draft, action);
  wakeAt(draft, draft.now.monoMs + 500);
}

/** Only members of the recorded lineage count: a higher timeline than ours was promoted by somebody else. */
function countableSeals(cluster: ClusterRecord, action: Action): Action["sealed"] {
  const timeline = cluster.epochs.at(-1)?.timeline ?? null;
  return action.sealed.filter((member) => timeline === null || member.timeline <= timeline);
}

/** One transaction stores the new epoch, its primary, its configuration and its timeline; the commands leave only after it. */
function decidePromotion(draft: Draft, action: Action, cluster: ClusterRecord): void {
  const counted = countableSeals(cluster, action);
  const required = action.steps.find((step) => step.kind === "demote" && step.status === "done")?.data.lsn;
  const complete = typeof required === "number" ? counted.filter((member) => member.lsn >= required) : counted;
  const { chosen, verdicts } = chooseCandidate(cluster, complete.length > 0 ? complete : counted, action.target);
  if (chosen === null) {
    if (canRegrant(draft, action)) return startRegrant(draft, action);
    return endAction(draft, action.id, "needs-operator", { code: "no-candidate", data: {} });
  }
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
  };
  const timeline = Math.max(...counted.map((member) => member.timeline), cluster.epochs.at(-1)?.timeline ?? 1) + 1;
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
    lsn: counted.find((m) => m.node === chosen)?.lsn ?? null,
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
  // A primary that was shut down cleanly has nothing that the candidate lacks: it follows at once.
  const demoted = demotedCleanly(action);
  sendFollows(draft, action.id, granted, demoted === null ? followers : [...followers, demoted], grant);
  if (action.from !== null && draft.state.live.nodes.get(action.from)?.connected && demoted === null) {
    commandStep(draft, action.id, {
      ...grant,
      kind: "fence",
      node: action.from,
      verb: { verb: "postgres.fence", args: {} },
    });
  }
  appendActionEntry(draft, action.id, "promotion-decided", { node: chosen, epoch: action.epoch });
}

function demotedCleanly(action: Action): string | null {
  const demote = action.steps.find((step) => step.kind === "demote");
  return demote?.status === "done" ? demote.node : null;
}

function sendFollows(
  draft: Draft,
  actionId: string,
  cluster: ClusterRecord,
  followers: readonly string[],
  grant: { readonly epoch: number; readonly intentId: string; readonly configVersion: number },
): void {
  const primary = endpointOf(cluster, demand(cluster.primary, "primary"));
  for (const node of followers) {
    const verb = { verb: "postgres.follow", args: { primary, configurations: cluster.configurations } } as const;
    commandStep(draft, actionId, { ...grant, kind: "follow", node, verb });
  }
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

function advancePromoting(draft: Draft, action: Action): void {
  const promotes = action.steps.filter((step) => step.kind === "promote");
  const last = promotes.at(-1);
  if (last?.status === "done") return recordPromotion(draft, action, last.data);
  if (last?.status !== "failed") return;
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const target = demand(action.target, "target");
  if (promotes.length >= 2) {
    holdAutomation(draft, cluster.id, "promotion-failed");
    return endAction(draft, action.id, "needs-operator", { code: "promotion-failed", data: { node: target } });
  }
  const configuration = demand(action.configuration, "configuration");
  const timeline = Math.max(...action.sealed.map((member) => member.timeline), 1) + 1;
  commandStep(draft, action.id, {
    kind: "promote",
    node: target,
    verb: { verb: "postgres.promote", args: { configuration, peers: endpoints(cluster), timeline } },
    epoch: action.epoch,
    intentId: action.intentId,
    configVersion: configuration.version,
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
  if (last?.status === "done") {
    const cluster = demand(getCluster(draft, action.cluster), action.cluster);
    patchCluster(draft, action.cluster, {
      configurations: cluster.configurations.filter((c) => c.epoch === action.epoch),
    });
    appendActionEntry(draft, action.id, "verified", { node: action.target, durationMs: last.data.ms ?? null });
    return endAction(draft, action.id, "done", null);
  }
  if (last?.status !== "failed") return;
  // No follower yet: one may still be rejoining. Ask again, without haste.
  const againAt = (last.endedAt ?? draft.now.wallMs) + 500;
  if (draft.now.wallMs >= againAt) return sendVerify(draft, action.id);
  wakeAt(draft, draft.now.monoMs + (againAt - draft.now.wallMs));
}

/** A seal ends by promotion, or by granting the old primary again; the latter only if no promote was ever sent. */
function canRegrant(draft: Draft, action: Action): boolean {
  if (action.promoteSent || action.from === null) return false;
  return seeAgent(draft.state, action.from, draft.now) === "alive";
}

export function startRegrant(draft: Draft, action: Action): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const old = demand(action.from, "old primary");
  const epoch = cluster.highestEpoch + 1;
  const intentId = `${action.intentId}.regrant`;
  const previous = demand(cluster.configurations.at(-1), "a configuration");
  const configuration: SyncConfiguration = { ...previous, epoch, version: cluster.configVersion + 1 };
  dropCommands(draft, action.id, "regranted");
  const lastEpoch = demand(cluster.epochs.at(-1), "an epoch");
  patchCluster(draft, cluster.id, {
    epoch,
    highestEpoch: epoch,
    grantId: intentId,
    primary: old,
    configurations: [...cluster.configurations, configuration],
    configVersion: configuration.version,
    epochs: [
      ...cluster.epochs,
      {
        ...lastEpoch,
        epoch,
        intentId,
        primary: old,
        at: draft.now.wallMs,
        cause: "regrant",
        by: action.by,
        reason: "seal-without-quorum",
        actionId: action.id,
        unavailableMs: null,
        lost: null,
      },
    ],
  });
  patchAction(draft, action.id, { state: "regranting", epoch, intentId, configuration });
  const grant = { epoch, intentId, configVersion: configuration.version };
  const granted = demand(getCluster(draft, cluster.id), cluster.id);
  commandStep(draft, action.id, {
    ...grant,
    kind: "regrant",
    node: old,
    verb: { verb: "postgres.regrant", args: { configuration, peers: endpoints(granted) } },
  });
  sendFollows(draft, action.id, granted, previous.members, grant);
  appendActionEntry(draft, action.id, "regranted", { node: old, epoch });
}

function advanceRegranting(draft: Draft, action: Action): void {
  const last = action.steps.filter((step) => step.kind === "regrant").at(-1);
  if (last?.status === "done")
    return endAction(draft, action.id, "compensated", { code: "regranted", data: { node: action.from } });
  if (last?.status === "failed") {
    holdAutomation(draft, action.cluster, "regrant-failed");
    return endAction(draft, action.id, "needs-operator", { code: "regrant-failed", data: { node: action.from } });
  }
}

export function holdAutomation(draft: Draft, clusterId: string, reason: string): void {
  const cluster = demand(getCluster(draft, clusterId), clusterId);
  if (cluster.automation.state === "held" && cluster.automation.reason === reason) return;
  patchCluster(draft, clusterId, { automation: { state: "held", by: "holdfast", reason, at: draft.now.wallMs } });
  appendAudit(draft, {
    actor: "holdfast",
    actorRole: "system",
    verb: "automation-held",
    subject: `cluster:${clusterId}`,
    before: { state: cluster.automation.state },
    after: { state: "held" },
    reason,
  });
}
