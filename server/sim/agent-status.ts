import { parseApplicationName } from "../../agents/drivers/postgres/names.ts";
import type {
  LocalProbe,
  PeerSight,
  PostgresState,
  PostgresStatus,
  ReplicationRow,
  WalReceiver,
} from "../core/index.ts";
import type { HeartbeatFrame } from "../protocol/index.ts";
import { leaseStatus } from "./agent-lease.ts";
import type { AgentModel } from "./agent-model.ts";
import type { PostgresModel } from "./postgres-model.ts";

/** What the agent's probes of its peers have come to. */
export type Sights = Map<string, { reason: PeerSight["reason"]; failingSinceMs: number | null }>;

export const postgresPort = 5432;
const probeTimeoutMs = 400;

export function createSights(): Sights {
  return new Map();
}

/** One SQL probe of each peer over a connection that is held open. */
export function watchPeers(agent: AgentModel): void {
  const { nowMs } = agent.world;
  for (const peer of agent.parts.peers()) {
    if (peer.node === agent.node) continue;
    const before = agent.sights.get(peer.node);
    const reason = probe(agent, peer);
    const goesOn = before !== undefined && reason !== null && isSilence(reason) === isSilence(before.reason);
    const failingSinceMs = goesOn ? before.failingSinceMs : null;
    agent.sights.set(peer.node, { reason, failingSinceMs: reason === null ? null : (failingSinceMs ?? nowMs) });
  }
}

/** As the agent's record of a probe does: silence is counted from the last answer, whatever that was. */
function isSilence(reason: PeerSight["reason"]): boolean {
  return reason === "timeout" || reason === "accepted-silent";
}

function probe(agent: AgentModel, peer: PostgresModel): PeerSight["reason"] {
  const { network } = agent.parts;
  if (!peer.host.up || !network.passes(agent.node, peer.node) || !network.passes(peer.node, agent.node))
    return "timeout";
  if (!peer.alive) return "refused";
  if (peer.process.frozen || peer.diskStuck) return "accepted-silent";
  return peer.state === "running" && !peer.slotsFull ? null : "error";
}

function sightOf(agent: AgentModel, node: string): PeerSight {
  const seen = agent.sights.get(node);
  const base = { node, cluster: agent.parts.cluster, responseMs: null, response: null };
  if (seen === undefined) return { ...base, reach: "unknown", reason: null, failingForMs: 0 };
  if (seen.failingSinceMs === null) return { ...base, reach: "ok", reason: null, failingForMs: 0 };
  const failingForMs = agent.world.nowMs - seen.failingSinceMs;
  // Nothing came back yet: until its own deadline a probe has said nothing.
  const pending = isSilence(seen.reason) && failingForMs < probeTimeoutMs;
  if (pending) return { ...base, reach: "unknown", reason: null, failingForMs: 0 };
  return { ...base, reach: "failed", reason: seen.reason, failingForMs };
}

export function buildHeartbeat(agent: AgentModel, eager: boolean): HeartbeatFrame {
  const { world, parts } = agent;
  return {
    t: "heartbeat",
    seq: agent.beatSeq,
    bootId: agent.bootId,
    monoMs: world.monoMs(parts.host),
    wallMs: world.wallMs(parts.host),
    eager,
    loopLagMs: parts.host.load > 1 ? parts.host.load * 2 : 0,
    host: null,
    postgres: buildStatus(agent),
    peers: parts
      .peers()
      .filter((peer) => peer.node !== agent.node)
      .map((peer) => sightOf(agent, peer.node)),
    checks: [],
    workloads: [],
  };
}

function stateOf(agent: AgentModel): PostgresState {
  const { postgres } = agent;
  if (agent.rejoining) return "rejoining";
  if (postgres.disk.state === "empty") return "empty";
  if (!postgres.alive) return "stopped";
  const probe = ownProbe(agent);
  // An answer that is an error is an answer; only silence makes a server hung.
  if (postgres.process.frozen || (probe.reason === "timeout" && probe.failingForMs > 500)) return "hung";
  if (postgres.state === "starting") return "starting";
  return postgres.state === "running" ? "running" : "stopped";
}

function ownProbe(agent: AgentModel): LocalProbe {
  const { postgres, world } = agent;
  if (!postgres.alive) return { ok: false, ms: null, failingForMs: world.nowMs - agent.probeOkMs, reason: "refused" };
  const age = world.nowMs - agent.probeOkMs;
  if (postgres.role === "primary" && agent.writesRefusedSinceMs !== null) {
    return { ok: false, ms: null, failingForMs: world.nowMs - agent.writesRefusedSinceMs, reason: "53100" };
  }
  const silent = postgres.process.frozen || age > 900;
  if (postgres.state === "running" && silent && age > 350) {
    return { ok: false, ms: null, failingForMs: age, reason: "timeout" };
  }
  return { ok: true, ms: 1, failingForMs: 0, reason: null };
}

function buildStatus(agent: AgentModel): PostgresStatus {
  const { postgres, disk } = agent;
  const state = stateOf(agent);
  const running = state === "running";
  const { fence } = disk;
  return {
    cluster: agent.parts.cluster,
    host: agent.node,
    port: postgresPort,
    state,
    role: running ? postgres.role : null,
    systemId: running ? postgres.disk.systemId : null,
    version: "15.6",
    timeline: running ? postgres.disk.flushed.timeline : null,
    lsn: running ? postgres.disk.flushed.lsn : null,
    replayLsn: running && postgres.role === "standby" ? postgres.disk.flushed.lsn : null,
    replayPaused: postgres.replayPaused,
    replayLagMs: running && postgres.role === "standby" ? 0 : null,
    receiver: running && postgres.role === "standby" ? receiverOf(agent) : null,
    replication: running && postgres.role === "primary" ? replicationOf(postgres) : [],
    synchronousStandbyNames: running ? postgres.effectiveNames : null,
    probe: ownProbe(agent),
    syncProbe: running && postgres.role === "primary" ? syncProbe(postgres) : null,
    exit: exitOf(agent),
    promise: fence.promise,
    configurations: fence.configurations,
    promoteIssuedEpoch: fence.promoteIssuedEpoch,
    connections: running ? 1 : null,
    preparedTransactions: running ? 0 : null,
    longestTransactionMs: running ? 0 : null,
    response: null,
    canRewind: true,
    initialize: agent.wantsInitialize && fence.promise === null,
    ...leaseStatus(agent),
  };
}

function exitOf(agent: AgentModel): PostgresStatus["exit"] {
  if (agent.exit === null || agent.postgres.alive) return null;
  return {
    pid: agent.exit.pid,
    code: null,
    signal: "SIGKILL",
    reaped: true,
    agoMs: agent.world.nowMs - agent.exit.atMs,
  };
}

function syncProbe(postgres: PostgresModel): LocalProbe {
  const waitMs = postgres.oldestWaitMs;
  return {
    ok: waitMs < 1_000,
    ms: waitMs < 1_000 ? 2 : null,
    failingForMs: waitMs < 1_000 ? 0 : waitMs,
    reason: waitMs < 1_000 ? null : "timeout",
  };
}

function receiverOf(agent: AgentModel): WalReceiver {
  const { postgres, world } = agent;
  const { receiver } = postgres;
  if (receiver === null) {
    const endedMs = postgres.receiverEndedMs;
    const advancedAgoMs = Number.isFinite(endedMs) ? world.nowMs - endedMs : null;
    return { status: "none", senderHost: null, senderPort: null, receivedLsn: null, advancedAgoMs };
  }
  return {
    status: receiver.status,
    senderHost: receiver.upstream,
    senderPort: postgresPort,
    receivedLsn: postgres.disk.flushed.lsn,
    advancedAgoMs: world.nowMs - receiver.lastMessageMs,
  };
}

function replicationOf(postgres: PostgresModel): ReplicationRow[] {
  const names = postgres.effectiveNames ?? "";
  return postgres.senders.map((sender) => ({
    applicationName: sender.applicationName,
    node: parseApplicationName(sender.applicationName)?.node ?? null,
    state: sender.streaming ? "streaming" : "catchup",
    syncState: names.includes(sender.applicationName) ? "quorum" : "async",
    sentLsn: sender.sent?.lsn ?? null,
    writeLsn: sender.writeLsn,
    flushLsn: sender.flushLsn,
    replayLsn: sender.flushLsn,
    replayLagMs: null,
  }));
}
