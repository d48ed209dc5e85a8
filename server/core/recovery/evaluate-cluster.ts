import { nextDeadlineMs } from "../detection/accrual.ts";
import {
  type Draft,
  demand,
  getAction,
  getCluster,
  getNode,
  patchAction,
  patchCluster,
  runningActions,
  wakeAt,
} from "../draft.ts";
import { measureEpoch } from "../incident/impact.ts";
import { appendRefusal } from "../incident/refusals.ts";
import { syncIncidents } from "../incident/sync-incidents.ts";
import type { Verdict } from "../incident/types.ts";
import { describeBudget } from "../policy/budget.ts";
import type { Refusal } from "../state.ts";
import { endClusterMaintenance, holdsAutomation } from "../topology/maintenance.ts";
import { seeAgent } from "../topology/sight.ts";
import { beginAction, endAction } from "./actions.ts";
import { refuseAsync } from "./async-failover.ts";
import { advanceBootstrap, considerBootstrap } from "./bootstrap.ts";
import { confirmDown } from "./fencing.ts";
import { isLookedAt, judgeMember, judgeStranger } from "./judge-member.ts";
import { lastWalEnd, noteIntent } from "./loss.ts";
import { currentConfiguration, isStreaming } from "./members.ts";
import { advancePromotion } from "./promotion.ts";
import { advanceReconfigure, considerReconfigure } from "./reconfigure.ts";
import { advanceRejoin, considerRejoins, forgetStreams } from "./rejoin.ts";
import { advanceRestart, considerRestart, considerReturn } from "./restart.ts";
import { enterSealing, explainNoQuorum, sealableMembers } from "./sealing.ts";
import { advanceDemoting } from "./switchover.ts";
import type { Action, ClusterRecord } from "./types.ts";

/** Verdicts after which the primary no longer serves: what a failover repairs. */
const fatal: ReadonlySet<Verdict["kind"]> = new Set([
  "dead-primary",
  "frozen-primary",
  "hung-primary",
  "unwritable-primary",
  "partitioned-primary",
  "lost-primary",
]);

/** A verdict on a standby or an agent has to hold for this long before it is shown: restarts are not faults. */
const confirmMs = 2_000;

/** Loads one snapshot, judges, takes the next steps. May be called at any time: it only acts on what is there. */
export function evaluateCluster(draft: Draft, clusterId: string): void {
  const { live } = draft.state;
  endClusterMaintenance(draft, clusterId);
  for (const action of runningActions(draft, clusterId)) advanceAction(draft, action);
  const cluster = demand(getCluster(draft, clusterId), clusterId);
  const verdicts = judgeCluster(draft, cluster);
  syncIncidents(draft, cluster, verdicts);
  measureEpoch(draft, clusterId);
  rememberRefusal(draft, clusterId, null);
  if (live.self.frozen !== null) return;
  const primaryVerdict = verdicts.find((verdict) => fatal.has(verdict.kind)) ?? null;
  if (primaryVerdict !== null) return considerFailover(draft, cluster, primaryVerdict);
  forgetStreams(draft, cluster);
  if (!maySelfRepair(draft, cluster)) return;
  considerBootstrap(draft, cluster);
  considerReturn(draft, cluster);
  const open = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  if (open === null || open.kind === "reconfigure" || open.state === "verifying") considerRejoins(draft, cluster);
  considerReconfigure(draft, demand(getCluster(draft, clusterId), clusterId));
  passPreflight(draft, demand(getCluster(draft, clusterId), clusterId));
}

/** Held by a person, by maintenance or by an alarm of ours: observe only. A new cluster has to be put together before it can be let go. */
function maySelfRepair(draft: Draft, cluster: ClusterRecord): boolean {
  if (holdsAutomation(cluster.maintenance, draft.now.wallMs)) return false;
  return cluster.automation.state === "on" || cluster.automation.reason === "preflight-pending";
}

function advanceAction(draft: Draft, action: Action): void {
  switch (action.kind) {
    case "initialize":
    case "adopt":
      return advanceBootstrap(draft, action.id);
    case "switchover":
      return action.state === "demoting" ? advanceDemoting(draft, action.id) : advancePromotion(draft, action.id);
    case "failover":
      return advancePromotion(draft, action.id);
    case "rejoin":
      return advanceRejoin(draft, action.id);
    case "reconfigure":
      return advanceReconfigure(draft, action.id);
    case "restart":
      return advanceRestart(draft, action.id);
    default:
      return action.kind satisfies never;
  }
}

/** Verdicts on all members. Fenced and new members are being repaired already; a demoted primary ends on purpose. */
function judgeCluster(draft: Draft, cluster: ClusterRecord): Verdict[] {
  const open = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  const verdicts: Verdict[] = [];
  for (const member of Object.values(cluster.members)) {
    const stranger = judgeStranger(draft.state, cluster, member.id, draft.now);
    if (stranger !== null) verdicts.push(stranger);
    if (member.standing !== "member") continue;
    if (open?.kind === "switchover" && open.from === member.id && open.state !== "verifying") continue;
    const verdict = judgeMember(draft.state, cluster, member.id, draft.now);
    if (verdict === null) clearSince(draft, cluster.id, member.id);
    else if (fatal.has(verdict.kind) || isConfirmed(draft, cluster.id, member.id)) verdicts.push(verdict);
    noticeSilence(draft, member.id);
  }
  return verdicts;
}

function isConfirmed(draft: Draft, clusterId: string, node: string): boolean {
  const since = draft.state.live.clusters.get(clusterId)?.since;
  const from = since?.get(`verdict:${node}`) ?? draft.now.monoMs;
  since?.set(`verdict:${node}`, from);
  wakeAt(draft, from + confirmMs);
  return draft.now.monoMs - from >= confirmMs;
}

function clearSince(draft: Draft, clusterId: string, node: string): void {
  draft.state.live.clusters.get(clusterId)?.since.delete(`verdict:${node}`);
}

/** Asks to be woken when the member's silence becomes a suspicion, so that no tick has to pass first. */
function noticeSilence(draft: Draft, node: string): void {
  const live = draft.state.live.nodes.get(node);
  if (live?.connected !== true || seeAgent(draft.state, node, draft.now) !== "alive") return;
  wakeAt(draft, nextDeadlineMs(live.detector, draft.state.live.self.stalls) + 1);
}

function rememberRefusal(draft: Draft, clusterId: string, refusal: Refusal | null): void {
  const live = draft.state.live.clusters.get(clusterId);
  if (live !== undefined) live.refusal = refusal ?? undefined;
}

function considerFailover(draft: Draft, cluster: ClusterRecord, verdict: Verdict): void {
  const open = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  if (open !== null && !mayBeSuperseded(open, cluster)) return;
  if (verdict.subject.kind === "node" && !isLookedAt(draft.state, cluster, verdict.subject.id, draft.now)) return;
  const refusal = refuseFailover(draft, cluster, verdict);
  if (refusal !== null) {
    rememberRefusal(draft, cluster.id, refusal);
    appendRefusal(draft, cluster, refusal);
    return considerRestart(draft, cluster, verdict);
  }
  startFailover(draft, cluster.id, {
    by: "holdfast",
    automatic: true,
    reason: verdict.kind,
    target: null,
    firstSignalAt: verdict.sinceWallMs,
  });
}

/** A reconfiguration gives way. A failover whose new primary died gives way to the next one, once its promotion is known. */
function mayBeSuperseded(open: Action, cluster: ClusterRecord): boolean {
  if (open.kind === "reconfigure" || open.kind === "restart" || open.state === "regranting") return true;
  return (
    (open.kind === "failover" || open.kind === "switchover") && open.promoteSent && cluster.primary === open.target
  );
}

/** Why no automatic failover may start now; null when it may. */
export function refuseFailover(
  draft: Draft,
  cluster: ClusterRecord,
  verdict: Verdict,
): { code: string; data: Action["steps"][number]["data"] } | null {
  if (cluster.automation.state !== "on")
    return { code: "automation-held", data: { reason: cluster.automation.reason } };
  const { wallMs } = draft.now;
  const ofPrimary = cluster.primary === null ? null : getNode(draft, cluster.primary)?.maintenance;
  const held = [cluster.maintenance, ofPrimary].find((maintenance) => holdsAutomation(maintenance, wallMs));
  if (held != null) return { code: "maintenance", data: { by: held.by } };
  const budget = describeBudget(cluster, draft.state.durable.policy, wallMs);
  if (budget.used >= budget.of)
    return { code: "budget-used", data: { used: budget.used, of: budget.of, nextFreeAt: budget.nextFreeAt } };
  const exited = verdict.evidence.some((item) => item.code === "postgres-exited");
  if (exited && draft.state.durable.policy.onPostgresExit === "restart") return { code: "restart-preferred", data: {} };
  const sealable = sealableMembers(draft, cluster);
  return explainNoQuorum(cluster, sealable) ?? refuseAsync(draft, cluster, sealable);
}

export function startFailover(
  draft: Draft,
  clusterId: string,
  options: {
    readonly by: string;
    readonly automatic: boolean;
    readonly reason: string;
    readonly target: string | null;
    readonly firstSignalAt: number | null;
    /** Asynchronous mode: what a person has accepted and confirmed. */
    readonly acceptedLossBytes?: number | null | undefined;
    readonly confirmedDown?: boolean | undefined;
  },
): Action {
  const cluster = demand(getCluster(draft, clusterId), clusterId);
  if (cluster.openActionId !== null) supersede(draft, cluster, cluster.openActionId);
  for (const action of runningActions(draft, clusterId))
    endAction(draft, action.id, "aborted", { code: "superseded", data: {} });
  const incident = [...draft.incidents.values(), ...draft.state.durable.incidents.values()].find(
    (item) => item.cluster === clusterId && item.resolvedAt === null,
  );
  const action = beginAction(draft, {
    kind: "failover",
    cluster: clusterId,
    state: "sealing",
    by: options.by,
    automatic: options.automatic,
    reason: options.reason,
    incidentId: incident?.id ?? null,
    from: cluster.primary,
    target: options.target,
    firstSignalAt: options.firstSignalAt,
    opensEpoch: true,
  });
  if (cluster.durability.mode === "async") {
    noteIntent(draft, action);
    patchAction(draft, action.id, {
      primaryEnd: lastWalEnd(draft.state, cluster, draft.now),
      acceptedLossBytes: options.acceptedLossBytes,
    });
    if (options.confirmedDown === true) confirmDown(draft, action.id, options.by);
  }
  enterSealing(draft, action.id);
  return demand(getAction(draft, action.id), action.id);
}

/**
 * The promotion of a superseded intent has an unknown outcome: its candidate may have opened a timeline whose number the next one takes
 * again, and "no rewind required" would then be wrong. It is cloned, never rewound.
 */
function supersede(draft: Draft, cluster: ClusterRecord, actionId: string): void {
  const open = demand(getAction(draft, actionId), actionId);
  const target = open.target === null ? undefined : cluster.members[open.target];
  if (open.promoteSent && target !== undefined) {
    patchCluster(draft, cluster.id, { members: { ...cluster.members, [target.id]: { ...target, cloneOnly: true } } });
  }
  endAction(draft, actionId, "aborted", { code: "superseded", data: {} });
}

/** A new cluster is held until it once was as promised: enough synchronous standbys, every member streaming. */
function passPreflight(draft: Draft, cluster: ClusterRecord): void {
  if (cluster.preflightPassedAt !== null || cluster.primary === null || cluster.openActionId !== null) return;
  const configuration = currentConfiguration(cluster);
  const k = cluster.durability.mode === "sync" ? cluster.durability.k : 0;
  const standbys = Object.values(cluster.members).filter((member) => member.id !== cluster.primary);
  const ready =
    configuration !== null &&
    cluster.configurations.length === 1 &&
    configuration.members.length > k &&
    standbys.every((member) => member.standing === "member" && isStreaming(draft.state, cluster, member.id));
  if (!ready) return;
  const pending = cluster.automation.state === "held" && cluster.automation.reason === "preflight-pending";
  const on = pending && draft.state.durable.policy.automationDefault === "on";
  patchCluster(draft, cluster.id, {
    preflightPassedAt: draft.now.wallMs,
    automation: on
      ? { state: "on", by: "holdfast", reason: "preflight-passed", at: draft.now.wallMs }
      : cluster.automation,
  });
}
