import type { PostgresStatus, SyncConfiguration } from "../core/index.ts";
import type { AgentModel } from "./agent-model.ts";
import { startStandby, stopFenced } from "./agent-server.ts";

/**
 * The lease of an asynchronous primary as the real agent keeps it, and the dead-man timer. Standbys' agents renew over connections to the
 * primary's own server; the names of those connections carry request and renewal. In synchronous mode nothing here does anything.
 */

const leaseWaitMs = 3_000;

/** Called with every beat. */
export function tendLease(agent: AgentModel): void {
  const { postgres, world, fence, parts } = agent;
  const nowMs = world.monoMs(parts.host);
  openBook(agent);
  if (agent.lease === null) {
    feedWatchdog(agent, nowMs);
    renewPrimary(agent);
    return;
  }
  if (postgres.answers && postgres.role === "primary") {
    for (const [by, vote] of postgres.leaseVotes) takeRenewal(agent, by, vote);
    postgres.leaseAsk = { epoch: agent.lease.epoch, ask: fence.lease.askNumber(nowMs) };
  }
  obeyLease(agent, nowMs);
  feedWatchdog(agent, nowMs);
}

/** A new grant begins with what the server has now: its standbys were sealed there. */
function openBook(agent: AgentModel): void {
  const { postgres, world, disk, fence, parts } = agent;
  const before = agent.lease;
  agent.lease = fence.lease.openLease(disk.fence, before, world.monoMs(parts.host));
  if (agent.lease === null || agent.lease.epoch === before?.epoch) return;
  agent.heldLsn = postgres.disk.written.lsn;
  agent.lastLookLsn = agent.heldLsn;
}

export function takeRenewal(
  agent: AgentModel,
  by: string | null,
  renewal: { readonly epoch: number; readonly ask: number },
): void {
  if (agent.lease === null) return;
  const nowMs = agent.world.monoMs(agent.parts.host);
  agent.lease = agent.fence.lease.renewLease(agent.lease, { by, ...renewal }, nowMs);
}

/** A standby reads the request over its own connection to the primary, and answers under its name. */
function renewPrimary(agent: AgentModel): void {
  const { disk, parts, world, node, fence } = agent;
  const { standing } = disk.fence;
  const isLeased = disk.fence.configurations.at(-1)?.lease !== undefined;
  if (!isLeased || (standing.kind !== "standby" && standing.kind !== "sealed")) return;
  const primary = parts
    .peers()
    .find((peer) => (standing.kind === "standby" ? peer.node === standing.primary.node : peer.leaseAsk !== null));
  if (primary === undefined || !primary.answers) return;
  if (!parts.network.passes(node, primary.node) || !parts.network.passes(primary.node, node)) return;
  const ask = primary.leaseAsk;
  if (ask === null || !fence.lease.mayRenew(disk.fence, ask.epoch)) return;
  world.after(1, agent.process, () => {
    if (primary.answers) primary.leaseVotes.set(node, ask);
  });
}

function obeyLease(agent: AgentModel, nowMs: number): void {
  const { postgres, lease, fence, hands } = agent;
  if (lease === null || !postgres.answers || postgres.role !== "primary") return;
  const { lsn } = postgres.disk.written;
  const held = Math.max(0, ...postgres.senders.map((sender) => sender.flushLsn));
  agent.heldLsn = Math.max(agent.heldLsn, held);
  const advance = { lagBytes: Math.max(0, lsn - agent.heldLsn), grownBytes: Math.max(0, lsn - agent.lastLookLsn) };
  agent.lastLookLsn = lsn;
  const verdict = fence.lease.judgeLease(lease, advance, nowMs);
  if (verdict === "keep") return;
  postgres.terminateClients();
  if (verdict === "read-only" || !hands.stopsAtLeaseEnd) return;
  stopFenced(agent, () => startStandby(agent, null, 0));
}

/** It sleeps while no primary runs here under a lease. */
function feedWatchdog(agent: AgentModel, nowMs: number): void {
  const { watchdog } = agent.parts;
  const { postgres, lease, fence } = agent;
  if (watchdog === null) return;
  const isPrimary =
    postgres.alive && (postgres.role ?? (postgres.disk.standbySignal ? "standby" : "primary")) === "primary";
  if (lease === null) {
    // A deposed server that still runs is not fed, and not let go.
    const { kind } = agent.disk.fence.standing;
    if (kind === "primary" || kind === "demoted" || !isPrimary) watchdog.disarm();
    return;
  }
  // A verb that makes a primary of it has armed it already.
  if (!isPrimary && !agent.busy) watchdog.disarm();
  else if (fence.lease.mayFeed(lease, watchdog.biteMs, nowMs)) watchdog.feed();
}

/** Whether a server may begin as a primary under this configuration now. */
export function mayBeginNow(agent: AgentModel, configuration: SyncConfiguration): boolean {
  const { lease, fence, hands, world, parts } = agent;
  if (configuration.lease === undefined || !hands.waitsForLease) return true;
  return lease !== null && fence.lease.mayBegin(lease, world.monoMs(parts.host));
}

/** Waits for a lease, where the configuration wants one; arms the watchdog before anything begins under it. */
export function whenLeased(agent: AgentModel, configuration: SyncConfiguration, then: (leased: boolean) => void): void {
  if (configuration.lease === undefined || !agent.hands.waitsForLease) return then(true);
  const { world, process, parts } = agent;
  const beganMs = world.nowMs;
  openBook(agent);
  agent.beatSoon();
  const look = (): void => {
    if (mayBeginNow(agent, configuration)) {
      parts.watchdog?.feed();
      return then(true);
    }
    if (world.nowMs - beganMs > leaseWaitMs) return then(false);
    world.after(20, process, look);
  };
  look();
}

/** What a status says of the lease; nothing at all in synchronous mode. */
export function leaseStatus(agent: AgentModel): Pick<PostgresStatus, "lease" | "watchdog"> {
  const { lease, fence, world, parts } = agent;
  const nowMs = world.monoMs(parts.host);
  return {
    ...(lease === null
      ? {}
      : {
          lease: {
            epoch: lease.epoch,
            ask: fence.lease.askNumber(nowMs),
            leftMs: fence.lease.leaseLeftMs(lease, nowMs),
          },
        }),
    ...(parts.watchdog === null ? {} : { watchdog: true }),
  };
}
