import { getDocument } from "../documents.ts";
import { type Draft, demand, getAction, patchAction, wakeAt } from "../draft.ts";
import type { Verdict } from "../incident/types.ts";
import type { Action, CandidateVerdict, Step } from "../recovery/types.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import { countSealed, goesOnWith, rankCandidates } from "./candidates.ts";
import { branchHistory } from "./history.ts";
import { advanceRegranting, canRegrant, startRegrant } from "./regrant.ts";
import { endpointOf, type RedisDocument, type RedisServer, readServers, sealable, sealsNeeded } from "./servers.ts";
import { beginRedisAction, endRedisAction, patchRedis, redisStep } from "./steps.ts";

/**
 * Failover of a replica set: seal, then promote. With k replicas confirming each write (`WAIT k`), every such write is on k of the counted
 * replicas; |counted| − k + 1 sealed ones hold at least one copy, and leave the old master fewer than k that could confirm another one. So no lease
 * has to run out. What nobody waited for, Redis does not promise; how much of it there may be is counted.
 */

const stepDeadlineMs = 5_000;
/** Once a quorum is sealed, slower replicas are waited for no longer than this: one of them may be further ahead. */
const stragglerMs = 120;
const verifyDeadlineMs = 5_000;

export function beginFailover(
  draft: Draft,
  record: RedisDocument,
  options: {
    readonly verdict: Verdict | null;
    readonly incidentId: string | null;
    readonly by: string;
    readonly automatic: boolean;
    readonly reason: string;
    readonly target: string | null;
  },
): Action {
  const action = beginRedisAction(draft, record, {
    kind: "failover",
    state: "sealing",
    by: options.by,
    automatic: options.automatic,
    reason: options.reason,
    incidentId: options.incidentId,
    from: record.primary,
    target: options.target,
    firstSignalAt: options.verdict?.sinceWallMs ?? null,
    opensEpoch: true,
  });
  if (options.automatic) {
    const since = draft.now.wallMs - draft.state.durable.policy.failoverBudgetWindowMs;
    const used = record.budgetUsedAt.filter((at) => at > since);
    patchRedis(draft, record.id, { budgetUsedAt: [...used, draft.now.wallMs] });
  }
  const ready = sealable(draft.state, record, draft.now).map(({ member }) => member.id);
  const others = ready.filter((id) => id !== options.target);
  // With a master that writes, whoever is sealed last is the furthest: the one that is wished for goes on following until the others are sealed.
  const later = options.target !== null && others.length > 0 && writes(findOld(draft, record));
  seal(draft, action.id, later ? others : ready);
  if (!later) fenceOld(draft, action.id, record);
  wakeAt(draft, draft.now.monoMs + stepDeadlineMs);
  return demand(getAction(draft, action.id), action.id);
}

function seal(draft: Draft, actionId: string, members: readonly string[]): void {
  for (const id of members) redisStep(draft, actionId, "seal", id, { verb: "redis.seal", args: {} });
}

/** Whoever can reach the old master stops it as well; nothing waits for that. */
function fenceOld(draft: Draft, actionId: string, record: RedisDocument): void {
  const old = findOld(draft, record);
  if (old?.agent === "alive") redisStep(draft, actionId, "fence", old.member.id, { verb: "redis.fence", args: {} });
}

function findOld(draft: Draft, record: RedisDocument): RedisServer | undefined {
  return readServers(draft.state, record, draft.now).find((server) => server.member.id === record.primary);
}

function writes(old: RedisServer | undefined): boolean {
  return old?.fresh === true && old.status?.state === "running" && old.status.role === "master";
}

export function advanceFailover(draft: Draft, actionId: string): void {
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

function advanceSealing(draft: Draft, action: Action): void {
  const record = demand(getDocument(draft, "redis", action.cluster), action.cluster);
  const seals = action.steps.filter((step) => step.kind === "seal");
  const needed = sealsNeeded(record);
  const waiting = seals.filter((step) => step.status === "running");
  if (action.target !== null && !seals.some((step) => step.node === action.target)) {
    if (waiting.length > 0 && !isOverdue(draft, waiting)) return;
    seal(draft, action.id, [action.target]);
    fenceOld(draft, action.id, record);
    wakeAt(draft, draft.now.monoMs + stepDeadlineMs + 1);
    return;
  }
  const sealed = countSealed(action, record);
  if (sealed < needed) {
    if (waiting.length > 0 && !isOverdue(draft, waiting)) return;
    return giveUp(draft, action, { code: "no-quorum", data: { sealed, needed } });
  }
  const sealedAt = Math.max(...seals.map((step) => step.endedAt ?? 0));
  if (waiting.length > 0 && draft.now.wallMs - sealedAt < stragglerMs) {
    wakeAt(draft, draft.now.monoMs + stragglerMs);
    return;
  }
  const candidates = rankCandidates(action, record);
  const chosen = candidates.find((candidate) => candidate.chosen)?.node ?? null;
  if (chosen === null) {
    patchAction(draft, action.id, { candidates });
    return giveUp(draft, action, { code: "no-candidate", data: {} });
  }
  promote(draft, action, record, chosen, candidates);
}

/** Nobody can take over: the old master goes on, as far as it is there. Else it is granted again when it comes back. */
function giveUp(draft: Draft, action: Action, failure: Action["failure"]): void {
  if (canRegrant(draft, action)) return startRegrant(draft, demand(getAction(draft, action.id), action.id));
  endRedisAction(draft, action.id, "needs-operator", failure);
}

function promote(
  draft: Draft,
  action: Action,
  record: RedisDocument,
  chosen: string,
  candidates: readonly CandidateVerdict[],
): void {
  const seals = action.sealed.filter(({ node }) => node !== chosen);
  const followers = seals.map(({ node }) => node);
  const own = demand(
    action.sealed.find(({ node }) => node === chosen),
    chosen,
  );
  // Who has to copy everything first can't confirm a write until then: the new master would refuse them all meanwhile.
  const ready = seals.filter((each) => goesOnWith(own, each)).length;
  const kInForce = Math.min(record.k, ready);
  const version = record.configVersion + 1;
  const configuration: SyncConfiguration = {
    epoch: action.epoch,
    version,
    k: kInForce,
    members: [...followers].sort(),
  };
  const members = Object.fromEntries(
    Object.entries(record.members).map(([id, member]) => {
      const standing =
        id === chosen || followers.includes(id) ? "member" : member.standing === "new" ? "new" : "fenced";
      return [id, { ...member, standing } as const];
    }),
  );
  patchRedis(draft, record.id, {
    epoch: action.epoch,
    grantId: action.intentId,
    primary: chosen,
    kInForce,
    configVersion: version,
    members,
    lineage: branchHistory(record, own.history, own.lsn),
    epochs: [
      ...record.epochs.slice(-49),
      {
        epoch: action.epoch,
        intentId: action.intentId,
        primary: chosen,
        cause: "failover",
        by: action.by,
        at: draft.now.wallMs,
        actionId: action.id,
        offset: own.lsn,
        givenUpBytes: null,
      },
    ],
  });
  patchAction(draft, action.id, { state: "promoting", target: chosen, candidates, configuration, promoteSent: true });
  redisStep(draft, action.id, "promote", chosen, { verb: "redis.promote", args: { configuration } });
  wakeAt(draft, draft.now.monoMs + stepDeadlineMs);
}

function advancePromoting(draft: Draft, action: Action): void {
  const step = action.steps.find((each) => each.kind === "promote");
  if (step === undefined || (step.status === "running" && !isOverdue(draft, [step]))) return;
  const record = demand(getDocument(draft, "redis", action.cluster), action.cluster);
  const target = demand(action.target, "a target");
  if (step.status !== "done") {
    // Nobody else may take this epoch; the next look at the new primary finds it dead or slow, and opens another one.
    return endRedisAction(draft, action.id, "failed", { code: "promotion-failed", data: { node: target } });
  }
  const primary = endpointOf(demand(record.members[target], target));
  for (const { node } of action.sealed) {
    if (node !== target) redisStep(draft, action.id, "follow", node, { verb: "redis.follow", args: { primary } });
  }
  const k = record.kInForce;
  redisStep(draft, action.id, "verify", target, { verb: "redis.verify", args: { deadlineMs: verifyDeadlineMs, k } });
  patchAction(draft, action.id, { state: "verifying" });
  wakeAt(draft, draft.now.monoMs + verifyDeadlineMs + stepDeadlineMs);
}

function advanceVerifying(draft: Draft, action: Action): void {
  const step = action.steps.find((each) => each.kind === "verify");
  if (step === undefined) return;
  if (step.status === "running" && !isOverdue(draft, [step], verifyDeadlineMs + stepDeadlineMs)) return;
  if (step.status === "done") return endRedisAction(draft, action.id, "done", null);
  endRedisAction(draft, action.id, "failed", { code: "unverified", data: { node: action.target } });
}

function isOverdue(draft: Draft, steps: readonly Step[], deadlineMs = stepDeadlineMs): boolean {
  const oldest = Math.min(...steps.map((step) => step.startedAt ?? draft.now.wallMs));
  return draft.now.wallMs - oldest > deadlineMs;
}
