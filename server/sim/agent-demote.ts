import { unsatisfiableNames } from "../../agents/drivers/postgres/names.ts";
import { mayBeginNow } from "./agent-lease.ts";
import type { AgentModel } from "./agent-model.ts";
import { ask, startAgainAsPrimary } from "./agent-server.ts";
import { type Args, done, type Finish, failed, noAnswer, refused } from "./agent-verbs.ts";

/** Read-only is only the default of a session: how often somebody writes to a primary that hands over all the same. */
const insistingShare = 0.25;
/** Standbys beyond the needed ones get this long to be level as well. */
const levelWithinMs = 300;

/** As `agents/drivers/postgres/verbs/demote.ts`. */
export function demote(agent: AgentModel, args: Args<"postgres.demote">, holds: () => boolean, finish: Finish): void {
  const { postgres } = agent;
  if (!postgres.alive) return finish(done({ lsn: shutdownLsn(agent), ms: 0, stopped: true }));
  ask(agent, (answered) => {
    if (!answered) return finish(noAnswer);
    if (postgres.role === "standby") return finish(refused("is-standby", "this member is a standby"));
    postgres.disk.standbySignal = true;
    const { standing } = agent.disk.fence;
    const configuration = standing.kind === "demoted" ? standing.configuration : null;
    const waits = configuration !== null && configuration.k > 0 && configuration.lease === undefined;
    const run = args.way === "quiesce" && waits ? handOver : shutDown;
    run(agent, args.deadlineMs, holds, finish);
  });
}

function handOver(agent: AgentModel, deadlineMs: number, holds: () => boolean, finish: Finish): void {
  const { postgres, world, process } = agent;
  const { incarnation } = postgres.process;
  const began = world.nowMs;
  const giveUp = (code: string): void => {
    if (holds() && postgres.process.incarnation === incarnation) admitWrites(agent);
    finish(failed(code, "this primary could not hand over; it takes writes again"));
  };
  const awaitLevel = (lsn: number): void => {
    let heldSinceMs: number | null = null;
    const look = (): void => {
      if (!holds() || postgres.process.incarnation !== incarnation) return giveUp("overtaken");
      if (postgres.answers && postgres.syncedLsn() >= lsn) heldSinceMs ??= world.nowMs;
      const level = postgres.senders.every((sender) => !sender.streaming || sender.flushLsn >= lsn);
      if (heldSinceMs !== null && (level || world.nowMs - heldSinceMs >= levelWithinMs)) {
        watchDemote(agent, deadlineMs, holds);
        return finish(done({ lsn, ms: Math.round(world.nowMs - began), stopped: false }));
      }
      if (world.nowMs - began >= deadlineMs) return giveUp("barrier-overdue");
      world.after(4, process, look);
    };
    look();
  };
  world.work(world.random.between(4, 20), process, () => {
    if (!postgres.answers) return giveUp("error");
    postgres.quiesced = { someInsist: world.random.chance(insistingShare) };
    postgres.terminateClients();
    postgres.agentCommit(true, (how) => {
      if (how === "lost") return giveUp("error");
      awaitLevel(postgres.disk.flushed.lsn);
    });
  });
}

/** A running primary that was quiesced takes writes again. */
export function admitWrites({ postgres }: AgentModel): void {
  postgres.quiesced = null;
  postgres.disk.standbySignal = false;
}

/** The agent ended in the middle of a switchover: its primary becomes the standby of nobody that any other start would have made of it. */
export function endHandOver({ postgres, disk }: AgentModel): void {
  if (disk.fence.standing.kind === "demoted" && postgres.disk.standbySignal && postgres.alive) postgres.stopImmediate();
}

/** Where a server that was shut down cleanly ended; null when it ended otherwise. */
function shutdownLsn(agent: AgentModel): number | null {
  const { flushed } = agent.postgres.disk;
  return flushed.kind === "shutdown" ? flushed.lsn : null;
}

function shutDown(agent: AgentModel, deadlineMs: number, holds: () => boolean, finish: Finish): void {
  const { postgres, world, process } = agent;
  const began = world.nowMs;
  postgres.stopFast();
  const look = (): void => {
    if (!postgres.alive) {
      postgres.disk.names = unsatisfiableNames;
      postgres.disk.upstream = null;
      watchDemote(agent, deadlineMs, holds);
      return finish(done({ lsn: shutdownLsn(agent), ms: Math.round(world.nowMs - began), stopped: true }));
    }
    if (world.nowMs - began < deadlineMs) return world.after(3, process, look);
    returnAsPrimary(agent, holds);
    finish(failed("shutdown-overdue", `PostgreSQL was not down after ${deadlineMs} ms; it runs as primary again`));
  };
  world.after(3, process, look);
}

/** Nothing followed a demote: the member takes up its grant again, sooner when nobody can be asked. */
export function watchDemote(agent: AgentModel, deadlineMs: number, holds: () => boolean): void {
  const { world, process } = agent;
  // An asynchronous primary never comes back by itself: somebody else may have been promoted by then.
  const { standing } = agent.disk.fence;
  if (standing.kind === "demoted" && standing.configuration?.lease !== undefined) return;
  const watch = agent.demoteWatch;
  const look = (waited: boolean): void => {
    if (agent.demoteWatch !== watch) return;
    if (agent.connected && !waited) {
      world.after(3 * deadlineMs, process, () => look(true));
      return;
    }
    returnAsPrimary(agent, holds);
  };
  world.after(deadlineMs, process, () => look(false));
}

export function returnAsPrimary(agent: AgentModel, holds: () => boolean): void {
  const { standing } = agent.disk.fence;
  if (!holds() || standing.kind !== "demoted" || standing.configuration === null) return;
  if (!mayBeginNow(agent, standing.configuration)) return;
  agent.postgres.stopImmediate();
  startAgainAsPrimary(agent, standing.configuration);
}
