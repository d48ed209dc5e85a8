import type { Event, NodeRecord, State } from "../core/index.ts";
import type { AgentIntake } from "../ports/agent-link.ts";
import type { Clock } from "../ports/clock.ts";
import { limits, type PeerAssignment } from "../protocol/index.ts";

const undeclaredMs = 10_000;

export interface IntakeParts {
  readonly state: State;
  readonly clock: Clock;
  isReady(): boolean;
  post(event: Event): boolean;
  enrol(node: NodeRecord): Promise<boolean>;
}

/** The control plane as the agent gateway sees it. */
export function createIntake({ state, clock, isReady, post, enrol }: IntakeParts): AgentIntake {
  return {
    isReady,
    post,
    enrol,
    findNode: (id) => state.durable.nodes.get(id) ?? null,
    findNodeByKey(publicKey) {
      for (const node of state.durable.nodes.values()) if (node.publicKey === publicKey) return node;
      return null;
    },
    clustersOf: (node) =>
      [...state.durable.clusters.values()].filter((cluster) => node in cluster.members).map((cluster) => cluster.id),
    redisOf: (node) => redisOf(state, node),
    listPeers: (node) => listPeers(state, node),
    heartbeatMs(node) {
      const enrolledAt = state.durable.nodes.get(node)?.enrolledAt ?? 0;
      // It has not had the time yet to say whether it is a member.
      if (clock.wallMs() - enrolledAt < undeclaredMs) return limits.memberHeartbeatMs;
      for (const cluster of state.durable.clusters.values()) {
        if (node in cluster.members) return limits.memberHeartbeatMs;
      }
      if (redisOf(state, node).length > 0) return limits.memberHeartbeatMs;
      return limits.nodeHeartbeatMs;
    },
  };
}

/** Redis clusters whose record has a server of this node. */
function redisOf(state: State, node: string): readonly string[] {
  return [...state.durable.documents.values()].flatMap((each) =>
    each.kind === "redis" && Object.values(each.members).some((member) => member.node === node) ? [each.id] : [],
  );
}

/** Whom a node watches: the members of its clusters, and of those it declares (an application's node is a witness too). */
function listPeers(state: State, node: string): PeerAssignment[] {
  const peers: PeerAssignment[] = [];
  const declared = clustersDeclaredBy(state, node);
  for (const cluster of state.durable.clusters.values()) {
    if (!(node in cluster.members) && !declared.has(cluster.id)) continue;
    for (const member of Object.values(cluster.members)) {
      if (member.id === node || peers.length >= limits.maxPeers) continue;
      peers.push({ node: member.id, cluster: cluster.id, host: member.host, port: member.port });
    }
  }
  return peers;
}

function clustersDeclaredBy(state: State, node: string): ReadonlySet<string> {
  const label = state.durable.nodes.get(node)?.labels.clusters ?? "";
  const declared = new Set(label.split(",").map((name) => name.trim()));
  for (const workload of state.live.nodes.get(node)?.workloads ?? []) declared.add(workload.cluster);
  return declared;
}
