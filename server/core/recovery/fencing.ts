import { commandStep, type Draft, demand, getAction, getCluster, noteStep } from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { seeAgent } from "../topology/sight.ts";
import type { Action, ClusterRecord, FencingProof, Plan, Step } from "./types.ts";
import { hasWaited } from "./waiting.ts";

/**
 * Asynchronous mode only. Nothing keeps a deposed asynchronous primary from acknowledging writes, so nobody is promoted before it is certain
 * that it takes none any more: its agent stopped it, a hook cut it off, its lease ran out under a watchdog, or a person says so.
 */

/** Who carries out hooks that are configured at the control plane. No node can have this name. */
export const controlPlaneNode = "@control-plane";

/** An agent that is heard gets this long to stop its server before the standbys are cut off from it. */
const fenceFirstMs = 3_000;
/** A fence command that failed is sent again, and hooks that all failed are run again, after this long. */
const fenceAgainMs = 1_000;
const hooksAgainMs = 5_000;
const mostHooks = 12;
/** Clocks may run apart by this share, and a renewal may be this much on its way through our own queue. */
const driftShare = 0.05;
const leaseMarginMs = 1_000;

/** How many of the members that may renew a lease must have renewed it, when the control plane has not. */
export function renewersNeeded(members: readonly string[]): number {
  return Math.ceil(members.length / 2);
}

/** How the old primary of this action is known to be down; null while it is not. Read from the committed steps alone. */
export function provenBy(action: Action): FencingProof | null {
  for (const step of action.steps) {
    const proof = step.status === "done" ? proofOf(action, step) : null;
    if (proof !== null) return proof;
  }
  return null;
}

function proofOf(action: Action, step: Step): FencingProof | null {
  if (step.kind === "hook") return step.data.fenced === action.from ? "hook" : null;
  if (step.node !== action.from) return null;
  switch (step.kind) {
    case "demote":
      return step.data.stopped === true ? "shutdown" : null;
    case "fence":
      return step.data.stopped === true ? "agent" : null;
    case "lease-ended":
      return "lease";
    case "confirmed-down":
      return "operator";
    default:
      return null;
  }
}

/** How the primary could be fenced now, the surest first. `operator` stands for none: only a person can say so. */
export function findRoute(
  state: State,
  cluster: ClusterRecord,
  sealable: readonly string[],
  now: Now,
): NonNullable<Plan["fencing"]> {
  const { primary } = cluster;
  const open = cluster.openActionId === null ? undefined : state.durable.actions.get(cluster.openActionId);
  const proof = open?.from === primary && open !== undefined ? provenBy(open) : null;
  if (proof !== null) return proof === "shutdown" ? "agent" : proof;
  if (primary === null || seeAgent(state, primary, now) === "alive") return "agent";
  if (hooksFor(state, primary, now).length > 0) return "hook";
  return leaseDurationMs(cluster, primary, new Set(sealable)) === null ? "operator" : "lease";
}

/** Who has a hook for this node and is there to run it. */
function hooksFor(state: State, node: string, now: Now): string[] {
  const agents = [...state.live.nodes.values()]
    .filter((other) => other.id !== node && other.fences?.includes(node) === true)
    .map((other) => other.id)
    .filter((id) => seeAgent(state, id, now) === "alive")
    .sort();
  return state.live.self.fences?.includes(node) === true ? [controlPlaneNode, ...agents] : agents;
}

/**
 * How long the lease of this primary may still last once these members are sealed; null when it can't be counted on: no watchdog enforces
 * it, it may not be in force, or members that are not sealed could go on renewing it.
 */
function leaseDurationMs(cluster: ClusterRecord, node: string, sealed: ReadonlySet<string>): number | null {
  const inForce = cluster.configurations.filter((configuration) => configuration.epoch === cluster.epoch);
  if (cluster.members[node]?.watchdog !== true || inForce.length === 0) return null;
  if (!inForce.every((configuration) => cannotRenew(configuration, sealed))) return null;
  return Math.max(...inForce.map((configuration) => configuration.lease?.durationMs ?? Number.POSITIVE_INFINITY));
}

/** Too few members of the configuration are left to renew a lease. */
function cannotRenew(configuration: SyncConfiguration, sealed: ReadonlySet<string>): boolean {
  if (configuration.lease === undefined) return false;
  const left = configuration.members.filter((member) => !sealed.has(member)).length;
  return left < renewersNeeded(configuration.members);
}

/** A primary whose agent is heard is stopped first: what it still sends to its standbys until then is not lost. */
export function maySeal(draft: Draft, action: Action, cluster: ClusterRecord): boolean {
  if (cluster.durability.mode !== "async" || action.from === null || provenBy(action) !== null) return true;
  if (seeAgent(draft.state, action.from, draft.now) !== "alive") return true;
  return hasWaited(draft, cluster.id, `${action.id}:fence-first`, fenceFirstMs);
}

/** Takes the next step towards certainty. May be called at any time, any number of times. */
export function pursueFencing(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  if (cluster.durability.mode !== "async" || action.from === null || provenBy(action) !== null) return;
  askAgent(draft, action, action.from);
  if (seeAgent(draft.state, action.from, draft.now) === "alive") return;
  const hooked = runHook(draft, action, action.from);
  const leased = awaitLease(draft, cluster, action, action.from);
  if (!hooked && !leased) askOperator(draft, actionId, action.from);
}

function askAgent(draft: Draft, action: Action, node: string): void {
  if (draft.state.live.nodes.get(node)?.connected !== true) return;
  const asked = action.steps.filter((step) => step.kind === "fence" && step.node === node);
  if (asked.at(-1)?.status === "running") return;
  const key = `${action.id}:fence:${asked.length}`;
  if (asked.length > 0 && !hasWaited(draft, action.cluster, key, fenceAgainMs)) return;
  sendFencing(draft, action, "fence", node, { verb: "postgres.fence", args: {} });
}

/** One hook at a time, each in its turn. True while one runs or another one is to be tried. */
function runHook(draft: Draft, action: Action, node: string): boolean {
  const tried = action.steps.filter((step) => step.kind === "hook");
  if (tried.at(-1)?.status === "running") return true;
  const hooks = hooksFor(draft.state, node, draft.now);
  if (hooks.length === 0 || tried.length >= mostHooks) return false;
  const isRound = tried.length > 0 && tried.length % hooks.length === 0;
  if (isRound && !hasWaited(draft, action.cluster, `${action.id}:hook:${tried.length}`, hooksAgainMs)) return true;
  const runner = demand(hooks[tried.length % hooks.length], "a hook");
  sendFencing(draft, action, "hook", runner, { verb: "host.fence", args: { node } });
  return true;
}

function sendFencing(
  draft: Draft,
  action: Action,
  kind: string,
  node: string,
  verb: Parameters<typeof commandStep>[2]["verb"],
): void {
  commandStep(draft, action.id, { kind, node, verb, epoch: action.epoch, intentId: action.intentId });
}

/**
 * The wait begins when enough members have promised the new epoch: nobody renews any more, and every renewal that is still on its way
 * counts from a request that was made before. True while it may lead somewhere.
 */
function awaitLease(draft: Draft, cluster: ClusterRecord, action: Action, node: string): boolean {
  const seals = action.steps.filter((step) => step.kind === "seal");
  const sealed = new Set(seals.filter((step) => step.status === "done").map((step) => step.node ?? ""));
  const durationMs = leaseDurationMs(cluster, node, sealed);
  if (durationMs === null) return seals.length === 0 || seals.some((step) => step.status === "running");
  const waitMs = durationMs * (1 + driftShare) + leaseMarginMs;
  if (!hasWaited(draft, cluster.id, `${action.id}:lease`, waitMs)) return true;
  noteStep(draft, action.id, "lease-ended", node, { durationMs });
  appendActionEntry(draft, action.id, "lease-ended", { node, durationMs });
  return true;
}

/** Said once: from here only a person, or the node's own agent, can bring certainty. */
function askOperator(draft: Draft, actionId: string, node: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  if (action.steps.some((step) => step.kind === "ask-operator")) return;
  noteStep(draft, actionId, "ask-operator", node, {});
  appendActionEntry(draft, actionId, "fencing-awaited", { node });
}

/** The open action that a person's word may help on: that the old primary is down, or that the loss is accepted. Null when there is none. */
export function awaitsPerson(cluster: ClusterRecord, open: Action | null | undefined): Action | null {
  if (open == null || cluster.durability.mode !== "async" || open.phase !== "running") return null;
  const moves = open.kind === "failover" || open.kind === "switchover";
  return moves && open.state === "sealing" ? open : null;
}

/** A person has typed the node's name: it is down and stays down. */
export function confirmDown(draft: Draft, actionId: string, by: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  if (action.from === null) return;
  noteStep(draft, actionId, "confirmed-down", action.from, { by });
  appendActionEntry(draft, actionId, "confirmed-down", { node: action.from, by });
}
