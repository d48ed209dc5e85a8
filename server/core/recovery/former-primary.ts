import { commandStep, type Draft, demand, getAction, getCluster } from "../draft.ts";
import { provenBy } from "./fencing.ts";
import { comingHistory, historyOf, sendFollows } from "./follow.ts";
import type { Action, Step } from "./types.ts";

/** What it refuses twice is left to its rejoin, which has patience. */
const mostTold = 2;

/** The primary that handed over for this action; null when there is none. */
export function demotedCleanly(action: Action): string | null {
  const demote = action.steps.find((step) => step.kind === "demote");
  return demote?.status === "done" ? demote.node : null;
}

/**
 * Tells the primary before what it is now, once: call it when the promotion is decided, and again when it is through or has to be tried again (left alone
 * for long, a demoted one would take up its old grant). One that may still run is fenced at once. One that is down waits: starting it takes
 * processors and disk that the new primary needs to come up, where they share a machine.
 */
export function tellFormerPrimary(draft: Draft, actionId: string, moment: "decided" | "promoted"): void {
  const action = demand(getAction(draft, actionId), actionId);
  const { from } = action;
  if (from === null) return;
  const told = action.steps.filter((step) => tells(step, from));
  if (told.some(({ status }) => status !== "failed") || told.length >= mostTold) return;
  if (demotedCleanly(action) === from && told.length === 0) {
    if (moment === "promoted") sendOn(draft, action, from);
    return;
  }
  const live = draft.state.live.nodes.get(from);
  if (!live?.connected) return;
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  if (cluster.durability.mode === "async" && provenBy(action) === "agent") return;
  const isDown = live.postgres?.state === "stopped";
  // One that refused to follow has taken up its old grant meanwhile, and is stopped whatever it does now.
  if (told.length === 0 && isDown !== (moment === "promoted")) return;
  commandStep(draft, action.id, {
    kind: "fence",
    node: from,
    verb: { verb: "postgres.fence", args: {} },
    epoch: action.epoch,
    intentId: action.intentId,
    configVersion: demand(action.configuration, "configuration").version,
  });
}

function tells({ kind, node }: Step, from: string): boolean {
  return node === from && (kind === "follow" || kind === "fence");
}

/** Whom it follows now. */
function sendOn(draft: Draft, action: Action, demoted: string): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const candidate = demand(
    action.sealed.find((member) => member.node === action.target),
    "the candidate's seal",
  );
  sendFollows(draft, action.id, cluster, [demoted], {
    epoch: action.epoch,
    intentId: action.intentId,
    configVersion: demand(action.configuration, "configuration").version,
    history:
      cluster.epochs.at(-1)?.timeline == null
        ? comingHistory(cluster, candidate, cluster.highestTimeline)
        : historyOf(cluster),
  });
}
