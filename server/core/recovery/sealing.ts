import { commandStep, type Draft, demand, getAction, getCluster, patchAction } from "../draft.ts";
import { isWitness } from "../topology/sight.ts";
import { maySeal, pursueFencing } from "./fencing.ts";
import { holdsQuorum } from "./quorum.ts";
import type { Action, ClusterRecord } from "./types.ts";
import { hasWaited } from "./waiting.ts";

/** A member that could not tell its position (its server was just starting) is asked again after this long. */
const sealAgainMs = 1_000;

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
  // What an asynchronous cluster needs instead: async-failover.ts.
  if (durability.mode === "async") return null;
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
  pursueFencing(draft, actionId);
  askForSeals(draft, actionId);
}

/** Sends a seal to every reachable standby that was not asked under this intent yet, and again to one that could not tell its position. */
export function askForSeals(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  if (!maySeal(draft, action, cluster)) return;
  for (const node of sealableMembers(draft, cluster)) {
    if (node === action.from || !mayAskForSeal(draft, action, node)) continue;
    commandStep(draft, actionId, {
      kind: "seal",
      node,
      verb: { verb: "postgres.seal", args: {} },
      epoch: action.epoch,
      intentId: action.intentId,
    });
  }
}

/** Only members of the recorded lineage count: a higher timeline than ours was promoted by somebody else. */
export function countableSeals(cluster: ClusterRecord, action: Action): Action["sealed"] {
  const known = Math.max(0, ...cluster.epochs.map((record) => record.timeline ?? 0));
  // While a promotion's outcome is unknown, the number that was given to it may be in use.
  const limit = cluster.epochs.at(-1)?.timeline == null ? Math.max(known, cluster.highestTimeline) : known;
  return action.sealed.filter((member) => limit === 0 || member.timeline <= limit);
}

function mayAskForSeal(draft: Draft, action: Action, node: string): boolean {
  const asked = action.steps.filter((step) => step.kind === "seal" && step.node === node);
  const last = asked.at(-1);
  if (last === undefined) return true;
  const isOpen = last.status === "running" || action.sealed.some((member) => member.node === node);
  return !isOpen && hasWaited(draft, action.cluster, `${action.id}:seal:${node}:${asked.length}`, sealAgainMs);
}
