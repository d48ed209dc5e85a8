import { nextDeadlineMs } from "../detection/accrual.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import type { PeerSight, WalReceiver } from "../replication/status.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import type { NodeLive } from "./types.ts";

/** Facts about one node, gathered for the judgement: what each observer sees of it right now. */

/** How the control plane itself sees an agent. */
export type AgentSight =
  /** Beats come as they should. */
  | "alive"
  /** The socket ended: FIN, RST or an error reached us. */
  | "closed"
  /** The socket is open (or the gateway gave up on it) and nothing comes. */
  | "silent"
  /** Not heard of since we started, and we did not run long enough to conclude anything. */
  | "awaited";

/** Agents come back within two seconds of our return; before that their absence means nothing. */
export const startGraceMs = 2_500;

/** A status older than this says nothing about now. */
export const statusFreshMs = 1_500;

export function seeAgent(state: State, nodeId: string, now: Now): AgentSight {
  const node = state.live.nodes.get(nodeId);
  const awaiting = now.monoMs - state.live.self.startedAtMs < startGraceMs;
  if (node === undefined) return awaiting ? "awaited" : "silent";
  if (node.connected) return isSilent(state, node, now) ? "silent" : "alive";
  if (node.closedAtMs === null) return awaiting ? "awaited" : "silent";
  return node.closeReason === "silent" ? "silent" : "closed";
}

function isSilent(state: State, node: NodeLive, now: Now): boolean {
  const { stalls } = state.live.self;
  const suspectAtMs = nextDeadlineMs(node.detector, stalls);
  if (Number.isFinite(suspectAtMs)) return now.monoMs >= suspectAtMs;
  return now.monoMs - Math.max(node.lastFrameAtMs, node.connectedAtMs) > node.detector.maxSilenceMs;
}

/** Wall-clock time at which the agent fell silent or its socket closed. */
export function agentLostSince(state: State, nodeId: string, now: Now): number {
  const node = state.live.nodes.get(nodeId);
  if (node === undefined) return now.wallMs - (now.monoMs - state.live.self.startedAtMs);
  const lastMs = node.closedAtMs !== null && node.closeReason !== "silent" ? node.closedAtMs : node.lastFrameAtMs;
  return Number.isFinite(lastMs) ? now.wallMs - (now.monoMs - lastMs) : now.wallMs;
}

/** True when this agent is heard and its status is young enough to speak about now. */
export function isWitness(state: State, nodeId: string, now: Now): boolean {
  const node = state.live.nodes.get(nodeId);
  if (node === undefined || !node.connected || now.monoMs - node.statusAtMs > statusFreshMs) return false;
  return seeAgent(state, nodeId, now) === "alive";
}

export interface ObserverSight {
  readonly observer: string;
  /** A standby of the same cluster: its word counts for and against a verdict. Others only tell apart how it died. */
  readonly isMember: boolean;
  readonly sight: PeerSight;
  /** Age of the observer's status, milliseconds. */
  readonly ageMs: number;
  /** The observer's WAL receiver, when it receives from the subject (or lost it). */
  readonly receiver: WalReceiver | null;
}

/** What every other witness sees of `subject`. */
export function gatherSights(state: State, cluster: ClusterRecord, subject: string, now: Now): ObserverSight[] {
  const sights: ObserverSight[] = [];
  for (const id of state.live.clusters.get(cluster.id)?.observers ?? []) {
    const node = state.live.nodes.get(id);
    if (node === undefined || id === subject || !isWitness(state, id, now)) continue;
    const sight = node.peers.find((peer) => peer.node === subject);
    if (sight === undefined) continue;
    const isMember = cluster.members[node.id]?.standing === "member";
    const receiver = isMember ? (node.postgres?.receiver ?? null) : null;
    sights.push({ observer: node.id, isMember, sight, ageMs: now.monoMs - node.statusAtMs, receiver });
  }
  return sights;
}

/** True when the receiver takes WAL straight from this member: no cascade, no other host. */
export function receivesFrom(receiver: WalReceiver | null, cluster: ClusterRecord, primary: string): boolean {
  const member = cluster.members[primary];
  if (receiver === null || member === undefined || receiver.status !== "streaming") return false;
  if (receiver.senderPort !== null && receiver.senderPort !== member.port) return false;
  return receiver.senderHost === null || receiver.senderHost === member.host;
}
