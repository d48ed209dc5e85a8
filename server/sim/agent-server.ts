import { applicationName, standbyNames, unsatisfiableNames } from "../../agents/drivers/postgres/names.ts";
import { mayFollow } from "../../agents/fence/promise.ts";
import type { SyncConfiguration } from "../core/index.ts";
import type { AgentModel } from "./agent-model.ts";

/** What the agent does to its server besides SQL: owned settings before every start, stops, and the gate for users. */

const answerDeadlineMs = 2_000;
const readyDeadlineMs = 60_000;
const barrierDeadlineMs = 30_000;

/** One query with its deadline; `false` when the server is gone, stopped or stuck. */
export function ask(agent: AgentModel, then: (answered: boolean) => void): void {
  const { postgres, world, process } = agent;
  const beganMs = world.nowMs;
  const look = (): void => {
    if (postgres.answers) then(true);
    else if (!postgres.alive || world.nowMs - beganMs > answerDeadlineMs) then(false);
    else world.after(25, process, look);
  };
  world.work(world.random.between(0.3, 1.5), process, look);
}

/** Polls until the server accepts connections; `false` when it ended. */
export function whenReady(agent: AgentModel, then: (ready: boolean) => void): void {
  const { postgres, world, process } = agent;
  const beganMs = world.nowMs;
  const look = (): void => {
    if (postgres.answers) then(true);
    else if (!postgres.alive || world.nowMs - beganMs > readyDeadlineMs) then(false);
    else world.after(15, process, look);
  };
  world.after(15, process, look);
}

/** Settings and signal file are on disk before the process exists. */
export function startStandby(agent: AgentModel, upstream: string | null, epoch: number): void {
  const { postgres } = agent;
  postgres.disk.standbySignal = true;
  postgres.disk.names = unsatisfiableNames;
  postgres.disk.upstream = upstream;
  if (upstream !== null) postgres.disk.applicationName = applicationName(epoch, agent.node);
  postgres.start();
}

/** As it is started when nobody is asked: it streams from whom it was seen to fit, else from nobody. */
export function startStandbyAlone(agent: AgentModel): void {
  const followed = mayFollow(agent.disk.fence);
  startStandby(agent, followed?.primary.node ?? null, followed?.epoch ?? 0);
}

/** Starts on the present timeline; nobody but the agent and standbys is let in yet. */
export function startPrimary(agent: AgentModel, configuration: SyncConfiguration): void {
  const { postgres } = agent;
  agent.startedAtBoot = false;
  agent.startedUnder = agent.disk.fence.standing.kind;
  postgres.disk.standbySignal = false;
  postgres.disk.names = standbyNames(configuration);
  postgres.disk.upstream = null;
  postgres.start();
}

/** The one way in which a member that was a primary starts as one again: users wait until k members hold what it recovered. */
export function startAgainAsPrimary(agent: AgentModel, configuration: SyncConfiguration): void {
  agent.postgres.disk.gateClosed = configuration.k > 0;
  startPrimary(agent, configuration);
}

/** An immediate stop, and nothing can start the server as a primary afterwards. */
export function stopFenced(agent: AgentModel, then: () => void): void {
  const { postgres, world, process } = agent;
  world.work(world.random.between(2, 20), process, () => {
    postgres.stopImmediate();
    postgres.disk.standbySignal = true;
    postgres.disk.names = unsatisfiableNames;
    postgres.disk.upstream = null;
    then();
  });
}

/**
 * Lets users in once k members have flushed the end of recovery under this epoch: a commit that waited unacknowledged is visible
 * after the restart, and must not be shown while a failover could still remove it.
 */
export function letInWhenFlushed(agent: AgentModel, holds: () => boolean, then: (letIn: boolean) => void): void {
  const { postgres, world, process, hands } = agent;
  const { incarnation } = postgres.process;
  const beganMs = world.nowMs;
  const look = (): void => {
    if (postgres.process.incarnation !== incarnation || !holds()) return then(false);
    const noneNeeded = !hands.admitsAfterSync || postgres.effectiveNames === "";
    if (postgres.answers && (noneNeeded || postgres.syncedLsn() >= postgres.recoveryEndLsn)) {
      postgres.letUsersIn();
      return then(true);
    }
    if (world.nowMs - beganMs > barrierDeadlineMs) return then(false);
    world.after(20, process, look);
  };
  look();
}
