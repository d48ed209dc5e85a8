import { applicationName, standbyNames, unsatisfiableNames } from "../../agents/drivers/postgres/names.ts";
import type { AgentModel } from "./agent-model.ts";

/** How long a granted primary's agent waits for the control plane's word before it restarts its server alone. */
const restartAloneMs = 3_000;

/**
 * Keeps the server as its standing says, without being asked: standbys are started again; a primary is restarted in place under the
 * grant on disk only while nobody can be asked. Whatever starts is started fenced.
 */
export function supervise(agent: AgentModel): void {
  const { postgres, world } = agent;
  if (postgres.alive || postgres.disk.state !== "ok" || agent.running.size > 0 || agent.rejoining) return;
  const { standing } = agent.disk.fence;
  switch (standing.kind) {
    case "none":
    case "rejoining":
      return;
    case "standby":
      writeStandbySettings(agent, standing.primary.node);
      return postgres.start();
    case "fenced":
    case "demoted":
      // Stopped on purpose: only a command starts it again.
      return;
    case "sealed":
      writeStandbySettings(agent, null);
      return postgres.start();
    case "primary": {
      const alone = !agent.connected && world.nowMs - agent.disconnectedSinceMs > restartAloneMs;
      if (!agent.hands.bootsFenced) return startUnfenced(agent);
      if (!alone) return;
      postgres.disk.standbySignal = false;
      postgres.disk.names = standbyNames(standing.configuration);
      postgres.start();
      admitWhenSynced(agent);
      return;
    }
  }
}

/** What an agent without "boot fenced" would do: the server comes back as it was, whatever happened meanwhile. */
function startUnfenced(agent: AgentModel): void {
  agent.postgres.start();
  agent.postgres.admitted = true;
}

/** Owned settings of every member that is not granted primary; written before every start. */
export function writeStandbySettings(agent: AgentModel, upstream: string | null): void {
  const { disk } = agent.postgres;
  disk.standbySignal = true;
  disk.names = unsatisfiableNames;
  disk.upstream = upstream;
  disk.applicationName = applicationName(agent.disk.fence.promise?.epoch ?? 0, agent.node);
}

/**
 * Lets users in once k members have flushed the end of recovery under this epoch: a commit that waited unacknowledged is visible
 * after the restart, and must not be shown while a failover could still remove it.
 */
export function admitWhenSynced(agent: AgentModel, done: () => void = () => {}): void {
  const { postgres, world, process } = agent;
  const started = postgres.process.incarnation;
  const look = (): void => {
    if (postgres.process.incarnation !== started || postgres.admitted) return;
    const ready = postgres.answers && postgres.role === "primary" && hasSynced(agent);
    if (!ready) {
      world.after(25, process, look);
      return;
    }
    postgres.admitted = true;
    done();
  };
  world.after(5, process, look);
}

function hasSynced(agent: AgentModel): boolean {
  const { postgres, hands } = agent;
  if (!hands.admitsAfterSync || postgres.effectiveNames === "") return true;
  return postgres.syncedLsn() >= postgres.recoveryEndLsn;
}
