import { commandStep, type Draft, demand, getAction, getCluster, patchAction, patchCluster } from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import { isWitness } from "../topology/sight.ts";
import { beginAction, endAction } from "./actions.ts";
import { endpoints } from "./members.ts";
import { holdAutomation } from "./regrant.ts";
import type { Action, ClusterRecord, MemberRecord, Step } from "./types.ts";
import { hasWaited } from "./waiting.ts";

/** A first start that failed is looked at again after this long, so often at most. */
const againMs = 2_000;
const mostAttempts = 5;

/** How a cluster comes under Holdfast: a running primary is adopted; where there is no data at all, one member is initialized. */
export function considerBootstrap(draft: Draft, cluster: ClusterRecord): void {
  if (cluster.epoch !== 0 || cluster.openActionId !== null) return;
  const present = Object.keys(cluster.members).filter((node) => isWitness(draft.state, node, draft.now));
  const statusOf = (node: string) => draft.state.live.nodes.get(node)?.postgres ?? null;
  const primaries = present.filter((node) => statusOf(node)?.state === "running" && statusOf(node)?.role === "primary");
  if (primaries.length === 1) return startAdopt(draft, cluster, demand(primaries[0], "primary"));
  if (primaries.length > 1) return;
  const everybodyHere = present.length === Object.keys(cluster.members).length;
  const noData = present.every((node) => statusOf(node)?.state === "empty");
  const first = present
    .filter((node) => statusOf(node)?.initialize === true || wasInterrupted(draft, cluster, node))
    .sort()[0];
  if (everybodyHere && noData && first !== undefined) startInitialize(draft, cluster, first);
}

/** A first start that had to be given up, and whose data a person has taken away since. Nothing was ever acknowledged there. */
function wasInterrupted(draft: Draft, cluster: ClusterRecord, node: string): boolean {
  return [...draft.state.durable.actions.values()].some(
    (action) => action.cluster === cluster.id && action.kind === "initialize" && action.target === node,
  );
}

function startInitialize(draft: Draft, cluster: ClusterRecord, node: string): void {
  const k = cluster.durability.mode === "sync" ? cluster.durability.k : 0;
  // No member can acknowledge yet, so nothing is acknowledged: the first write waits for the first standby.
  startFirstEpoch(draft, cluster, node, "initialize", { epoch: 1, version: 1, k, members: [] });
}

function startAdopt(draft: Draft, cluster: ClusterRecord, node: string): void {
  // As it runs: whatever it acknowledged until now was asynchronous as far as we know.
  startFirstEpoch(draft, cluster, node, "adopt", { epoch: 1, version: 1, k: 0, members: [] });
}

function startFirstEpoch(
  draft: Draft,
  cluster: ClusterRecord,
  node: string,
  kind: "initialize" | "adopt",
  configuration: SyncConfiguration,
): void {
  const action = beginAction(draft, {
    kind,
    cluster: cluster.id,
    state: "granting",
    by: "holdfast",
    automatic: true,
    reason: kind === "adopt" ? "running-primary-found" : "first-member",
    incidentId: null,
    target: node,
    opensEpoch: true,
  });
  const first: SyncConfiguration = { ...configuration, epoch: action.epoch, version: cluster.configVersion + 1 };
  patchCluster(draft, cluster.id, { configurations: [first], configVersion: first.version });
  patchAction(draft, action.id, { configuration: first });
  sendFirstGrant(draft, action.id, kind);
}

function sendFirstGrant(draft: Draft, actionId: string, kind: "initialize" | "adopt"): void {
  const action = demand(getAction(draft, actionId), actionId);
  const configuration = demand(action.configuration, "configuration");
  const peers = endpoints(demand(getCluster(draft, action.cluster), action.cluster));
  commandStep(draft, actionId, {
    kind,
    node: demand(action.target, "target"),
    verb: { verb: `postgres.${kind}`, args: { configuration, peers } },
    epoch: action.epoch,
    intentId: action.intentId,
    configVersion: configuration.version,
  });
}

export function advanceBootstrap(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const step = action.steps.at(-1);
  if (step?.status === "failed" && action.kind === "initialize") return initializeAgain(draft, action, step);
  if (step?.status === "failed")
    return endAction(draft, actionId, "failed", { code: `${action.kind}-failed`, data: step.data });
  if (step?.status !== "done") return;
  grantFirst(draft, action, step.data);
  appendActionEntry(draft, actionId, "granted", { node: action.target, epoch: action.epoch });
  endAction(draft, actionId, "done", null);
}

/**
 * Nobody knows how far a first start came whose agent was killed under it. An empty member begins again; one that runs as a primary is taken
 * over as it runs, under the configuration that it was made with: nothing is acknowledged there before the first standby. What lies between
 * is a person's to throw away.
 */
function initializeAgain(draft: Draft, action: Action, failed: Step): void {
  const node = demand(action.target, "target");
  const attempts = action.steps.length;
  if (!hasWaited(draft, action.cluster, `${action.id}:initialize:${attempts}`, againMs)) return;
  const status = draft.state.live.nodes.get(node)?.postgres ?? null;
  if (!isWitness(draft.state, node, draft.now) || status === null || status.state === "starting") return;
  if (attempts < mostAttempts && status.state === "empty") return sendFirstGrant(draft, action.id, "initialize");
  if (attempts < mostAttempts && status.state === "running" && status.role === "primary")
    return sendFirstGrant(draft, action.id, "adopt");
  holdAutomation(draft, action.cluster, "first-start-failed");
  endAction(draft, action.id, "needs-operator", { code: "first-start-failed", data: { node, ...failed.data } });
}

function grantFirst(draft: Draft, action: Action, data: Action["steps"][number]["data"]): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const primary = demand(action.target, "target");
  const status = draft.state.live.nodes.get(primary)?.postgres ?? null;
  const timeline = typeof data.timeline === "number" ? data.timeline : (status?.timeline ?? 1);
  const systemId = typeof data.systemId === "string" ? data.systemId : (status?.systemId ?? null);
  const member = demand(cluster.members[primary], "member");
  const members: Record<string, MemberRecord> = { ...cluster.members, [primary]: { ...member, standing: "member" } };
  patchCluster(draft, cluster.id, {
    epoch: action.epoch,
    grantId: action.intentId,
    primary,
    systemId,
    members,
    epochs: [
      {
        epoch: action.epoch,
        intentId: action.intentId,
        primary,
        timeline,
        switchLsn: null,
        at: draft.now.wallMs,
        cause: action.kind === "adopt" ? "adopt" : "initialize",
        by: action.by,
        reason: action.reason,
        actionId: action.id,
        unavailableMs: null,
        lost: null,
      },
    ],
  });
}
