import { mayBeginNow } from "./agent-lease.ts";
import type { AgentModel } from "./agent-model.ts";
import { letInWhenFlushed, startAgainAsPrimary, startStandby, startStandbyAlone } from "./agent-server.ts";

/** What the agent does on its own, as `agents/drivers/postgres/keeper.ts` does it: called every second. */
export interface Keeper {
  downSinceMs: number | null;
  attempts: number;
  lettingIn: boolean;
}

const standbyGraceMs = 4_000;
const primaryGraceMs = 3_000;
const slowestRetryMs = 60_000;

export function createKeeper(): Keeper {
  return { downSinceMs: null, attempts: 0, lettingIn: false };
}

export function keepServer(agent: AgentModel, keeper: Keeper): void {
  const { postgres, world, disk } = agent;
  if (postgres.disk.state === "empty" || agent.rejoining || agent.busy) {
    keeper.downSinceMs = null;
    return;
  }
  if (postgres.alive) {
    keeper.downSinceMs = null;
    keeper.attempts = 0;
    finishLettingIn(agent, keeper);
    return;
  }
  keeper.downSinceMs ??= world.nowMs;
  const graceMs = disk.fence.standing.kind === "primary" ? primaryGraceMs : standbyGraceMs;
  if (world.nowMs - keeper.downSinceMs < Math.min(slowestRetryMs, graceMs * 2 ** keeper.attempts)) return;
  keeper.attempts++;
  keeper.downSinceMs = world.nowMs;
  restartAlone(agent);
}

function restartAlone(agent: AgentModel): void {
  const { standing, promise, promoteIssuedEpoch } = agent.disk.fence;
  if (promise === null) return;
  switch (standing.kind) {
    case "standby":
      return startStandbyAlone(agent);
    case "primary":
      // A control plane that is there decides between a restart and a failover.
      if (agent.connected || promoteIssuedEpoch !== null || !mayBeginNow(agent, standing.configuration)) return;
      return startAgainAsPrimary(agent, standing.configuration);
    case "sealed":
    case "fenced":
      return startStandby(agent, null, 0);
    case "none":
    case "demoted":
    case "rejoining":
      return;
    default:
      standing satisfies never;
  }
}

/** Users are let in when enough members hold the end of recovery; also when the agent that closed the gate has died. */
function finishLettingIn(agent: AgentModel, keeper: Keeper): void {
  const { postgres, disk } = agent;
  if (keeper.lettingIn || !postgres.disk.gateClosed) return;
  const { standing } = disk.fence;
  // After a demote that was undone it runs as primary, too, under the configuration that it had.
  if (standing.kind !== "primary" && (standing.kind !== "demoted" || standing.configuration === null)) {
    postgres.disk.gateClosed = false;
    return;
  }
  keeper.lettingIn = true;
  const epoch = disk.fence.promise?.epoch;
  letInWhenFlushed(
    agent,
    () => agent.disk.fence.promise?.epoch === epoch,
    () => {
      keeper.lettingIn = false;
    },
  );
}
