import { commandStep, type Draft, demand, getAction, getCluster, patchAction, patchCluster, wakeAt } from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { LeaseTerms, SyncConfiguration } from "../replication/status.ts";
import { seeAgent } from "../topology/sight.ts";
import { beginAction, endAction } from "./actions.ts";
import { leaseFor } from "./lease-renewal.ts";
import { currentConfiguration, endpoints, isPrimaryRunning, isStreaming } from "./members.ts";
import type { Action, ClusterRecord } from "./types.ts";
import { hasWaited, isTooSoon } from "./waiting.ts";

/**
 * Changing the synchronous set, A → B (docs/failover.md): both are recorded, B's members learn them, B is applied on the primary, and
 * only when k members of B have flushed past the primary's position at that moment is A forgotten. Without that last barrier
 * acknowledged commits could live on members of A alone.
 */

/** A member of the set that is gone for this long leaves it, so that a second fault can still be survived. */
const leaveAfterMs = 10_000;
/** A change that failed is tried again after this long. */
const retryAfterMs = 5_000;
/** Every change of unknown result stays recorded; more than this many at once need a person. */
const maxConfigurations = 32;

export function considerReconfigure(draft: Draft, cluster: ClusterRecord): void {
  if (cluster.openActionId !== null || cluster.automation.reason === "store-behind-agents") return;
  if (!isPrimaryRunning(draft.state, cluster)) return;
  const current = currentConfiguration(cluster);
  const wanted = wantedMembers(draft, cluster, current);
  // In asynchronous mode nobody is waited for, and the members are those who may renew the primary's lease.
  const k = cluster.durability.mode === "sync" ? cluster.durability.k : 0;
  const { lease } = leaseFor(draft, cluster, wanted);
  const same =
    current !== null &&
    cluster.configurations.length === 1 &&
    current.k === k &&
    sameLease(current.lease, lease) &&
    sameMembers(current.members, wanted);
  if (same || wanted.length < k || cluster.configurations.length >= maxConfigurations) return;
  if (isTooSoon(draft, cluster.id, "reconfigure", null, retryAfterMs)) return;
  startReconfigure(draft, cluster, {
    epoch: cluster.epoch,
    version: cluster.configVersion + 1,
    k,
    members: wanted,
    ...(lease === undefined ? {} : { lease }),
  });
}

/** Streaming members, and those of the present set that are not gone for long. */
function wantedMembers(draft: Draft, cluster: ClusterRecord, current: SyncConfiguration | null): string[] {
  return Object.values(cluster.members)
    .filter((member) => member.id !== cluster.primary && member.standing === "member")
    .filter(
      (member) =>
        isStreaming(draft.state, cluster, member.id) ||
        (current?.members.includes(member.id) === true && !isGone(draft, cluster, member.id)),
    )
    .map((member) => member.id)
    .sort();
}

function isGone(draft: Draft, cluster: ClusterRecord, node: string): boolean {
  const since = draft.state.live.clusters.get(cluster.id)?.since;
  const key = `gone:${node}`;
  if (since === undefined) return false;
  const agent = seeAgent(draft.state, node, draft.now);
  const running = draft.state.live.nodes.get(node)?.postgres?.state === "running";
  if (agent === "alive" && running) {
    since.delete(key);
    return false;
  }
  const from = since.get(key) ?? draft.now.monoMs;
  since.set(key, from);
  wakeAt(draft, from + leaveAfterMs);
  return draft.now.monoMs - from >= leaveAfterMs;
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member, index) => member === b[index]);
}

function sameLease(a: LeaseTerms | undefined, b: LeaseTerms | undefined): boolean {
  return a?.durationMs === b?.durationMs && a?.maxLagBytes === b?.maxLagBytes;
}

function startReconfigure(draft: Draft, cluster: ClusterRecord, configuration: SyncConfiguration): void {
  const action = beginAction(draft, {
    kind: "reconfigure",
    cluster: cluster.id,
    state: "learning",
    by: "holdfast",
    automatic: true,
    reason: "members-changed",
    incidentId:
      [...draft.state.durable.incidents.values()].find(
        (item) => item.cluster === cluster.id && item.resolvedAt === null,
      )?.id ?? null,
    from: cluster.primary,
    opensEpoch: false,
  });
  const configurations = [...cluster.configurations, configuration];
  patchCluster(draft, cluster.id, { configurations, configVersion: configuration.version });
  patchAction(draft, action.id, { configuration });
  for (const node of configuration.members) {
    commandStep(draft, action.id, {
      kind: "learn",
      node,
      verb: { verb: "postgres.learn", args: { configurations } },
      epoch: cluster.epoch,
      intentId: demand(cluster.grantId, "grant"),
      configVersion: configuration.version,
    });
  }
}

export function advanceReconfigure(draft: Draft, actionId: string): void {
  const action = demand(getAction(draft, actionId), actionId);
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  if (cluster.epoch !== action.epoch)
    return endAction(draft, actionId, "aborted", { code: "superseded", data: { epoch: cluster.epoch } });
  const configuration = demand(action.configuration, "configuration");
  if (action.steps.some((step) => step.status === "failed")) {
    // Its result may be in force all the same, so both stay recorded; the next version supersedes it.
    return endAction(draft, actionId, "failed", {
      code: "reconfigure-failed",
      data: action.steps.find((s) => s.status === "failed")?.data ?? {},
    });
  }
  if (action.state === "learning") return applyWhenLearned(draft, cluster, action, configuration);
  if (action.state === "applying") return awaitApply(draft, action);
  return awaitFlush(draft, cluster, action, configuration);
}

function applyWhenLearned(
  draft: Draft,
  cluster: ClusterRecord,
  action: Action,
  configuration: SyncConfiguration,
): void {
  const learned = action.steps.filter((step) => step.kind === "learn" && step.status === "done").length;
  if (learned < configuration.members.length) return abandonWhenStuck(draft, action);
  const previous = cluster.configurations.filter((item) => item.version < configuration.version).at(-1);
  const grew = previous !== undefined && configuration.k > previous.k;
  const leaving = (previous?.members ?? []).filter((node) => grew || !configuration.members.includes(node));
  patchAction(draft, action.id, { state: "applying" });
  commandStep(draft, action.id, {
    kind: "configure",
    node: demand(cluster.primary, "primary"),
    verb: { verb: "postgres.configure", args: { configuration, leaving, peers: endpoints(cluster) } },
    epoch: cluster.epoch,
    intentId: demand(cluster.grantId, "grant"),
    configVersion: configuration.version,
  });
}

/** A member that stopped answering must not block the next change for ever: the version is superseded, not forgotten. */
function abandonWhenStuck(draft: Draft, action: Action): void {
  if (!hasWaited(draft, action.cluster, `${action.id}:${action.state}`, leaveAfterMs)) return;
  endAction(draft, action.id, "failed", { code: "reconfigure-unanswered", data: {} });
}

function awaitApply(draft: Draft, action: Action): void {
  const step = action.steps.filter((item) => item.kind === "configure").at(-1);
  if (step?.status === "done") {
    patchAction(draft, action.id, { state: "awaiting-flush" });
    return advanceReconfigure(draft, action.id);
  }
  abandonWhenStuck(draft, action);
}

function awaitFlush(draft: Draft, cluster: ClusterRecord, action: Action, configuration: SyncConfiguration): void {
  const barrier = action.steps.filter((item) => item.kind === "configure").at(-1)?.data.flushLsn;
  const rows = draft.state.live.nodes.get(cluster.primary ?? "")?.postgres?.replication ?? [];
  const flushed = configuration.members.filter((node) => {
    const row = rows.find((item) => item.applicationName === `e${cluster.epoch}_${node}`);
    return typeof barrier === "number" && row?.flushLsn != null && row.flushLsn >= barrier;
  });
  if (flushed.length < configuration.k) return abandonWhenStuck(draft, action);
  const kept = cluster.configurations.filter((item) => item.version >= configuration.version);
  patchCluster(draft, cluster.id, { configurations: kept });
  appendActionEntry(draft, action.id, "sync-set-changed", {
    members: configuration.members.join(", "),
    k: configuration.k,
    version: configuration.version,
  });
  endAction(draft, action.id, "done", null);
}
