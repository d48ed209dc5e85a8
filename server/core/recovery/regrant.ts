import {
  appendAudit,
  commandStep,
  type Draft,
  demand,
  dropCommands,
  getAction,
  getCluster,
  patchAction,
  patchCluster,
} from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import { seeAgent } from "../topology/sight.ts";
import { endAction } from "./actions.ts";
import { comingHistory, historyOf, learnTimeline, sendFollows } from "./follow.ts";
import { endpoints } from "./members.ts";
import type { Action, Step } from "./types.ts";
import { hasWaited, pauseBeforeNext } from "./waiting.ts";

/** Five minutes of them at a server that does not answer, then a person is asked. */
const mostRegrants = 40;

/** A seal ends by promotion, or by granting the old primary again; the latter only if no promote was ever sent. */
export function canRegrant(draft: Draft, action: Action): boolean {
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
        possibleLoss: undefined,
        fencedBy: undefined,
      },
    ],
  });
  patchAction(draft, action.id, { state: "regranting", epoch, intentId, configuration });
  const grant = { epoch, intentId, configVersion: configuration.version };
  const granted = demand(getCluster(draft, cluster.id), cluster.id);
  sendRegrant(draft, demand(getAction(draft, action.id), action.id), old);
  // Of its own promotion, if that has no known outcome, where it was sealed: up to there everybody's history is the same either way.
  const sealed = getAction(draft, lastEpoch.actionId ?? "")?.sealed.find((member) => member.node === old);
  const history =
    lastEpoch.timeline === null && sealed !== undefined
      ? comingHistory(granted, sealed, granted.highestTimeline)
      : historyOf(granted);
  sendFollows(draft, action.id, granted, previous.members, { ...grant, history });
  appendActionEntry(draft, action.id, "regranted", { node: old, epoch });
}

function sendRegrant(draft: Draft, action: Action, node: string): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const configuration = demand(action.configuration, "configuration");
  commandStep(draft, action.id, {
    kind: "regrant",
    node,
    verb: { verb: "postgres.regrant", args: { configuration, peers: endpoints(cluster) } },
    epoch: action.epoch,
    intentId: action.intentId,
    configVersion: configuration.version,
  });
}

/** The old primary is the only one that may go on: one whose agent was just started again, or that is slow, is asked again. */
export function advanceRegranting(draft: Draft, action: Action): void {
  const regrants = action.steps.filter((step) => step.kind === "regrant");
  const last = regrants.at(-1);
  if (last?.status === "done") {
    noteTimeline(draft, action.cluster, last.data);
    return endAction(draft, action.id, "compensated", { code: "regranted", data: { node: action.from } });
  }
  if (last?.status !== "failed") return;
  if (regrants.length >= mostRegrants) {
    holdAutomation(draft, action.cluster, "regrant-failed");
    return endAction(draft, action.id, "needs-operator", { code: "regrant-failed", data: { node: action.from } });
  }
  const old = demand(action.from, "old primary");
  const pauseMs = pauseBeforeNext(draft, old, regrants.length);
  if (!hasWaited(draft, action.cluster, `${action.id}:regrant:${action.steps.length}`, pauseMs)) return;
  sendRegrant(draft, action, old);
}

function noteTimeline(draft: Draft, clusterId: string, { timeline, switchLsn }: Step["data"]): void {
  if (typeof timeline !== "number") return;
  const { epochs } = demand(getCluster(draft, clusterId), clusterId);
  const place = { timeline, switchLsn: typeof switchLsn === "number" ? switchLsn : null };
  patchCluster(draft, clusterId, { epochs: learnTimeline(epochs, place) });
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
