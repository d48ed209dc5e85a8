import { evaluateChanges } from "./changes/index.ts";
import { DEFAULT_STALL_CONFIG, judgeSiblings, recordStall } from "./detection/self-suspicion.ts";
import { documentKey, listDocuments } from "./documents.ts";
import { closeDraft, clusterIds, createDraft, type Draft, getNode, putNode, wakeAt } from "./draft.ts";
import type { Decision, Write } from "./effect.ts";
import type { Event } from "./event.ts";
import { recordAgentSignal } from "./incident/agent-signals.ts";
import { recordLocalization } from "./incident/localization.ts";
import { offerMoves } from "./incident/move-away.ts";
import { followRecoveries, recordRecovery } from "./incident/recovery-by-cause.ts";
import { takeProfiles } from "./monitoring/evaluate-monitoring.ts";
import { evaluateCluster } from "./recovery/evaluate-cluster.ts";
import { renewLeases } from "./recovery/lease-renewal.ts";
import { recordOutcome, recordProgress } from "./recovery/outcomes.ts";
import { answerRequest } from "./recovery/requests.ts";
import { evaluateRedis } from "./redis/evaluate.ts";
import { takeRedisOutcome, takeRedisProgress } from "./redis/outcomes.ts";
import { evaluateServices } from "./service/evaluate-services.ts";
import type { State } from "./state.ts";
import type { Now } from "./time.ts";
import { evaluateNodes } from "./topology/evaluate-nodes.ts";
import { ensureClusterLive, observe } from "./topology/observe.ts";
import { seeAgent } from "./topology/sight.ts";

/** Nodes that fell silent within this time of now count as silent together. */
const togetherMs = 60_000;

/** An own stall of this length makes everything that was heard before it old. */
const longStallMs = 1_000;

/** Ended actions kept in memory beyond those that run: retries look at them. */
const endedActionsKept = 200;

/**
 * The whole judgement of the control plane: what these events, at this moment, lead to. Synchronous and pure but for `state.live`, which
 * takes the observations in place. `state.durable` is never touched: the caller commits `Decision.writes` first and hands them to
 * `applyWrites` afterwards; when the commit fails the decision is dropped and the next batch decides afresh.
 */
export function decide(state: State, events: readonly Event[], now: Now): Decision {
  const draft = createDraft(state, now);
  for (const event of events) takeEvent(draft, event);
  judgeSelf(draft);
  const ticked = events.some((event) => event.kind === "ticked");
  for (const clusterId of clusterIds(draft)) {
    ensureClusterLive(draft, clusterId);
    // What nothing has touched is looked at by the tick: time alone changes judgements, too.
    if (ticked || draft.touched.has(`cluster:${clusterId}`)) evaluateCluster(draft, clusterId);
  }
  for (const { id } of listDocuments(draft, "redis")) {
    if (ticked || draft.touched.has(`redis:${id}`)) evaluateRedis(draft, id);
  }
  if (ticked) evaluateNodes(draft);
  if (ticked) evaluateChanges(draft);
  if (ticked && state.live.self.frozen === null) offerMoves(draft);
  followRecoveries(draft);
  renewLeases(
    draft,
    events.filter((event) => event.kind === "heartbeat-received"),
  );
  return closeDraft(draft);
}

function takeEvent(draft: Draft, event: Event): void {
  const { self } = draft.state.live;
  switch (event.kind) {
    case "agent-connected":
    case "agent-disconnected":
    case "heartbeat-received":
      return observe(draft, event);
    case "command-finished":
      if (takeRedisOutcome(draft, event.node, event.commandId, event.outcome)) return;
      return recordOutcome(draft, event.node, event.commandId, event.outcome);
    case "command-progressed":
      if (takeRedisProgress(draft, event.node, event.commandId, event.data)) return;
      return recordProgress(draft, event.node, event.commandId, event.progress, event.data);
    case "node-enrolled":
      if (getNode(draft, event.node.id)?.publicKey !== event.node.publicKey) putNode(draft, event.node);
      return;
    case "signal-recorded":
      return recordAgentSignal(draft, event);
    case "operator-requested":
      return answerRequest(draft, event);
    case "services-measured":
      return evaluateServices(draft, event.services);
    case "fault-localized":
      return recordLocalization(draft, event);
    case "recovery-finished":
      return recordRecovery(draft, event);
    case "profiles-learned":
      return takeProfiles(draft, event.subject, event.profiles);
    case "ticked":
      return;
    case "stall-noticed":
      recordStall(self.stalls, { fromMs: event.fromMs, toMs: event.toMs });
      return;
    case "store-lost":
      self.storeAvailable = false;
      draft.touched.add("system");
      return;
    case "store-returned":
      self.storeAvailable = true;
      draft.touched.add("system");
      return;
    default:
      return event satisfies never;
  }
}

/** Silent now, heard since we started, and not for so long that "together" has lost its meaning: the hold ends by itself. */
function fellSilentLately(draft: Draft, node: string): boolean {
  const lastFrameAtMs = draft.state.live.nodes.get(node)?.lastFrameAtMs ?? Number.NEGATIVE_INFINITY;
  if (draft.now.monoMs - lastFrameAtMs > togetherMs) return false;
  return seeAgent(draft.state, node, draft.now) === "silent";
}

/** The control plane suspects itself first: when a large share of the fleet is silent at once, the likelier fault is ours. */
function judgeSelf(draft: Draft): void {
  const { live, durable } = draft.state;
  const { self } = live;
  const nodes = [...durable.nodes.values()].filter((node) => node.revokedAt === null);
  const silent = nodes.filter((node) => fellSilentLately(draft, node.id)).length;
  const verdict = judgeSiblings(silent, nodes.length, {
    minSilent: Math.min(3, nodes.length),
    minShare: durable.policy.fleetSilentShare,
  });
  const newest = self.stalls.stalls.at(-1);
  // A short stall only excuses the silence it covers (the detectors know it). After a long one the queue is drained before anything is judged.
  const stalling =
    newest !== undefined &&
    newest.toMs - newest.fromMs >= longStallMs &&
    draft.now.monoMs - newest.toMs < DEFAULT_STALL_CONFIG.graceMs;
  const reason =
    verdict.hold && nodes.length > 1
      ? "fleet-silent"
      : stalling
        ? "own-stall"
        : self.storeAvailable
          ? null
          : "store-lost";
  if ((self.frozen?.reason ?? null) === reason) return;
  self.frozen = reason === null ? null : { reason, sinceMs: draft.now.wallMs };
  draft.touched.add("system");
  if (stalling) wakeAt(draft, draft.now.monoMs + DEFAULT_STALL_CONFIG.graceMs);
}

/** Takes committed writes into the durable state. */
export function applyWrites(state: State, writes: readonly Write[]): void {
  const { durable } = state;
  for (const write of writes) {
    switch (write.kind) {
      case "put-node":
        durable.nodes.set(write.value.id, write.value);
        break;
      case "put-cluster":
        durable.clusters.set(write.value.id, write.value);
        break;
      case "put-incident":
        if (write.value.closedAt === null) durable.incidents.set(write.value.id, write.value);
        else durable.incidents.delete(write.value.id);
        break;
      case "put-action":
        durable.actions.set(write.value.id, write.value);
        break;
      case "put-command":
        durable.commands.set(write.value.id, write.value);
        break;
      case "finish-command":
        durable.commands.delete(write.id);
        break;
      case "put-counters":
        durable.counters = write.value;
        break;
      case "put-policy":
        durable.policy = write.value;
        break;
      case "put-document": {
        const key = documentKey(write.value.kind, write.value.id);
        if (write.value.closedAt === null) durable.documents.set(key, write.value);
        else durable.documents.delete(key);
        break;
      }
      case "append-timeline":
      case "append-note":
      case "append-audit":
        break;
      default:
        write satisfies never;
    }
  }
  forgetOldActions(state);
}

function forgetOldActions(state: State): void {
  const ended = [...state.durable.actions.values()].filter((action) => action.phase !== "running");
  if (ended.length <= endedActionsKept) return;
  ended.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  for (const action of ended.slice(0, ended.length - endedActionsKept)) state.durable.actions.delete(action.id);
}
