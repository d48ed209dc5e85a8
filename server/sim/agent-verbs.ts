import { applicationName, standbyNames, unsatisfiableNames } from "../../agents/drivers/postgres/names.ts";
import {
  type CommandOutcome,
  type CommandRecord,
  fitsHistory,
  type SyncConfiguration,
  type Verb,
} from "../core/index.ts";
import { admitWrites, demote } from "./agent-demote.ts";
import { whenLeased } from "./agent-lease.ts";
import type { AgentModel } from "./agent-model.ts";
import { runRejoin } from "./agent-rejoin.ts";
import {
  ask,
  letInWhenFlushed,
  startAgainAsPrimary,
  startPrimary,
  startStandby,
  stopFenced,
  whenReady,
} from "./agent-server.ts";

/**
 * The verbs as the real agent's driver carries them out, on the modelled server. Order of effects and refusals follow
 * `agents/drivers/postgres/verbs`; durations are those measured on a real one. `finish` counts once.
 */
export type Finish = (outcome: CommandOutcome) => void;
export type Args<V extends Verb["verb"]> = Extract<Verb, { verb: V }>["args"];

export const done = (data: Readonly<Record<string, unknown>> = {}): CommandOutcome => ({ status: "done", data });
export const failed = (code: string, detail: string): CommandOutcome => ({ status: "failed", code, detail });
export const refused = (code: string, detail: string): CommandOutcome => ({ status: "refused", code, detail });
const noLease = failed("no-lease", "nobody granted a lease to this member; it must not begin as a primary");
export const noAnswer = failed("error", "the server did not answer in time");

/** Verbs that need not wait for a long one. */
export const concurrentVerbs: ReadonlySet<string> = new Set(["postgres.learn", "postgres.verify"]);

export function runVerb(agent: AgentModel, command: CommandRecord, finish: Finish): void {
  const { verb, grant } = command;
  const holds = (): boolean => agent.holds(grant);
  if (!holds()) return finish(refused("overtaken", "a higher promise was made before this command began"));
  switch (verb.verb) {
    case "postgres.learn":
      return finish(done());
    case "postgres.initialize":
      return initialize(agent, verb.args.configuration, finish);
    case "postgres.seal":
      return seal(agent, finish);
    case "postgres.rejoin":
      return runRejoin(agent, verb.args, grant.epoch, holds, finish);
    case "postgres.fence":
      return fence(agent, finish);
    default:
      break;
  }
  if (agent.rejoining) return finish(refused("rejoining", "a rejoin is under way on this member"));
  if (agent.postgres.disk.state === "empty") return finish(refused("empty", "there is no database on this member yet"));
  switch (verb.verb) {
    case "postgres.adopt":
      return adopt(agent, verb.args.configuration, finish);
    case "postgres.promote":
      return promote(agent, verb.args, holds, finish);
    case "postgres.follow":
      return follow(agent, verb.args, grant.epoch, finish);
    case "postgres.configure":
      return configure(agent, verb.args, grant.epoch, finish);
    case "postgres.verify":
      return verify(agent, verb.args.deadlineMs, finish);
    case "postgres.resolve":
      return finish(refused("in-doubt-gone", "nothing is ever prepared here"));
    case "postgres.demote":
      return demote(agent, verb.args, holds, finish);
    case "postgres.regrant":
      return regrant(agent, verb.args.configuration, holds, finish);
    case "postgres.restart":
      return restart(agent, verb.args, holds, finish);
    default:
      return finish(refused("unknown-verb", `a PostgreSQL member has no verb ${verb.verb}`));
  }
}

function place(agent: AgentModel): CommandOutcome {
  const { disk } = agent.postgres;
  const { timeline, history } = disk.flushed;
  return done({ timeline, switchLsn: history.at(-1)?.endLsn ?? null, systemId: disk.systemId });
}

function initialize(agent: AgentModel, configuration: SyncConfiguration, finish: Finish): void {
  const { postgres, world, process } = agent;
  if (postgres.disk.state !== "empty")
    return finish(refused("not-empty", "the data directory holds a database already"));
  world.work(600, process, () => {
    postgres.disk.state = "ok";
    postgres.disk.systemId = world.random.hex();
    startPrimary(agent, configuration);
    whenReady(agent, (ready) => finish(ready ? place(agent) : failed("error", "PostgreSQL ended while starting")));
  });
}

function adopt(agent: AgentModel, configuration: SyncConfiguration, finish: Finish): void {
  const { postgres } = agent;
  if (!postgres.alive) return finish(refused("stopped", "PostgreSQL does not run on this member"));
  ask(agent, (answered) => {
    if (!answered) return finish(noAnswer);
    if (postgres.role === "standby") return finish(refused("is-standby", "this member is a standby"));
    // Names set by hand stay until the first recorded set replaces them.
    if (configuration.k > 0 || postgres.disk.names === "") postgres.setNames(standbyNames(configuration));
    finish(place(agent));
  });
}

function seal(agent: AgentModel, finish: Finish): void {
  const { postgres, world } = agent;
  const began = world.nowMs;
  let settle = finish;
  const answer = (timeline: number | null, lsn: number | null, promoted: boolean): void => {
    const { configurations } = agent.disk.fence;
    settle(done({ timeline, lsn, configurations, promoted, receiverGoneMs: Math.round(world.nowMs - began) }));
  };
  if (postgres.disk.state === "empty" || agent.rejoining) return answer(null, null, false);
  if (agent.disk.fence.promoteIssuedEpoch !== null) return stopFenced(agent, () => answer(null, null, true));
  const readEnd = (): void => {
    settle = orServerEnds(agent, finish);
    postgres.terminateReceiver(() => {
      const { timeline, lsn } = postgres.disk.flushed;
      answer(timeline, agent.hands.readsLocalWal ? lsn : postgres.receivedLsn, false);
    });
  };
  if (!postgres.alive) {
    startStandby(agent, null, 0);
    return whenReady(agent, (ready) =>
      ready ? readEnd() : finish(failed("error", "PostgreSQL ended while starting")),
    );
  }
  ask(agent, (answered) => {
    if (!answered) return finish(noAnswer);
    if (postgres.role === "primary") return stopFenced(agent, () => answer(null, null, true));
    postgres.setNames(unsatisfiableNames);
    postgres.setUpstream(null, postgres.disk.applicationName);
    if (agent.hands.terminatesReceiver) return readEnd();
    const { timeline, lsn } = postgres.disk.flushed;
    answer(timeline, lsn, false);
  });
}

function promote(agent: AgentModel, args: Args<"postgres.promote">, holds: () => boolean, finish: Finish): void {
  const { postgres, world, process, hands } = agent;
  const began = world.nowMs;
  if (!postgres.alive)
    return finish(refused("stopped", "PostgreSQL does not run on this member; it must be sealed first"));
  const settle = orServerEnds(agent, finish);
  const promoted = (): void => {
    const { history, timeline } = postgres.disk.flushed;
    settle(done({ timeline, switchLsn: history.at(-1)?.endLsn ?? 0, ms: Math.round(world.nowMs - began) }));
  };
  const begin = (): void =>
    ask(agent, (answered) => {
      if (!answered) return settle(noAnswer);
      postgres.setNames(hands.namesOnPromote(standbyNames(args.configuration)));
      if (postgres.role === "primary") return promoted();
      world.work(world.random.between(2, 12), process, () => {
        if (!holds()) return settle(failed("overtaken", "a higher promise was made while this command ran"));
        if (hands.reservesTimeline) postgres.disk.historyUpTo = Math.max(postgres.disk.historyUpTo, args.timeline - 1);
        postgres.promote(promoted);
      });
    });
  whenLeased(agent, args.configuration, (leased) => (leased ? begin() : finish(noLease)));
}

/** The verb's end, which also comes when the server that was asked ends under it: its connection ends then. */
function orServerEnds({ postgres, world, process }: AgentModel, finish: Finish): Finish {
  const { incarnation } = postgres.process;
  let isSettled = false;
  const settle: Finish = (outcome) => {
    if (isSettled) return;
    isSettled = true;
    finish(outcome);
  };
  const watch = (): void => {
    world.after(100, process, () => {
      if (isSettled) return;
      if (postgres.process.incarnation === incarnation) watch();
      else settle(failed("error", "the connection ended"));
    });
  };
  watch();
  return settle;
}

function follow(agent: AgentModel, args: Args<"postgres.follow">, epoch: number, finish: Finish): void {
  const { postgres, world, process, hands } = agent;
  const fits = ({ timeline, lsn }: { readonly timeline: number; readonly lsn: number }): boolean =>
    !hands.readsPositionFirst || fitsHistory(args.history, timeline, lsn);
  const diverged = failed("diverged", "it has WAL that the primary lacks");
  if (!postgres.alive) {
    const { flushed } = postgres.disk;
    const isKnown = !hands.readsPositionFirst || flushed.kind === "shutdown";
    if (isKnown && !fits(flushed)) return finish(diverged);
    startStandby(agent, isKnown ? args.primary.node : null, epoch);
    return whenReady(agent, (ready) => {
      if (!ready) return finish(failed("error", "PostgreSQL ended while starting"));
      if (isKnown) finish(done());
      else follow(agent, args, epoch, finish);
    });
  }
  ask(agent, (answered) => {
    if (!answered) return finish(noAnswer);
    if (postgres.role === "primary") {
      if (!postgres.disk.standbySignal)
        return finish(refused("is-primary", "this member runs as a primary; it must rejoin"));
      // It has handed over, and runs on until now.
      return stopFenced(agent, () => follow(agent, args, epoch, finish));
    }
    if (!fits(postgres.disk.written)) return finish(diverged);
    postgres.setNames(unsatisfiableNames);
    postgres.setUpstream(args.primary.node, applicationName(epoch, agent.node));
    world.work(world.random.between(2, 10), process, () => finish(done()));
  });
}

function configure(agent: AgentModel, args: Args<"postgres.configure">, epoch: number, finish: Finish): void {
  if (!agent.postgres.alive) return finish(refused("stopped", "PostgreSQL does not run on this member"));
  whenLeased(agent, args.configuration, (leased) =>
    leased ? applyConfiguration(agent, args, epoch, finish) : finish(noLease),
  );
}

function applyConfiguration(agent: AgentModel, args: Args<"postgres.configure">, epoch: number, finish: Finish): void {
  const { postgres, world, process } = agent;
  ask(agent, (answered) => {
    if (!answered) return finish(noAnswer);
    if (postgres.role !== "primary") return finish(refused("is-standby", "this member is a standby"));
    const before = Number(/ANY (\d+)/.exec(postgres.disk.names)?.[1] ?? 0);
    const grows = args.configuration.k > before;
    postgres.setNames(standbyNames(args.configuration));
    world.work(world.random.between(5, 12), process, () => {
      if (!postgres.answers) return finish(noAnswer);
      const leaving = args.leaving.map((node) => applicationName(epoch, node));
      postgres.terminateSenders((sender) => grows || leaving.includes(sender.applicationName));
      finish(done({ flushLsn: postgres.disk.flushed.lsn }));
    });
  });
}

function verify(agent: AgentModel, deadlineMs: number, finish: Finish): void {
  const { postgres, world, process } = agent;
  const began = world.nowMs;
  if (!postgres.alive) return finish(refused("stopped", "PostgreSQL does not run on this member"));
  ask(agent, (answered) => {
    if (!answered) return finish(noAnswer);
    if (postgres.role !== "primary") return finish(refused("is-standby", "this member is a standby"));
    postgres.agentCommit(false, (how) => {
      if (how === "acknowledged") finish(done({ ms: Math.round(world.nowMs - began) }));
      else finish(failed("error", "the connection ended"));
    });
    world.after(deadlineMs, process, () => finish(failed("not-acknowledged", `no follower within ${deadlineMs} ms`)));
  });
}

function fence(agent: AgentModel, finish: Finish): void {
  if (agent.postgres.disk.state === "empty" || agent.rejoining) return finish(done({ stopped: true }));
  const { postgres } = agent;
  // As the real agent: asked just before the stop.
  const lsn = postgres.role === "primary" ? postgres.disk.written.lsn : null;
  stopFenced(agent, () => finish(done({ stopped: true, lsn })));
}

function regrant(agent: AgentModel, configuration: SyncConfiguration, holds: () => boolean, finish: Finish): void {
  whenLeased(agent, configuration, (leased) =>
    leased ? runUnderGrant(agent, configuration, holds, finish) : finish(noLease),
  );
}

function runUnderGrant(
  agent: AgentModel,
  configuration: SyncConfiguration,
  holds: () => boolean,
  finish: Finish,
): void {
  const { postgres } = agent;
  const start = (): void => {
    startAgainAsPrimary(agent, configuration);
    finishWhenLetIn(agent, holds, finish);
  };
  if (!postgres.alive) return start();
  ask(agent, (answered) => {
    if (!answered) return finish(noAnswer);
    if (postgres.role === "primary") {
      postgres.setNames(standbyNames(configuration));
      admitWrites(agent);
      return finish(place(agent));
    }
    postgres.stopImmediate();
    start();
  });
}

function restart(agent: AgentModel, args: Args<"postgres.restart">, holds: () => boolean, finish: Finish): void {
  const { postgres, disk } = agent;
  if (args.as === "standby") {
    const { standing } = disk.fence;
    postgres.stopImmediate();
    startStandby(agent, standing.kind === "standby" ? standing.primary.node : null, disk.fence.promise?.epoch ?? 0);
    return whenReady(agent, (ready) => finish(ready ? done() : failed("error", "PostgreSQL ended while starting")));
  }
  if (postgres.answers && postgres.role === "primary") return finish(place(agent));
  whenLeased(agent, args.configuration, (leased) =>
    leased ? startAgain(agent, args, holds, finish) : finish(noLease),
  );
}

function startAgain(agent: AgentModel, args: Args<"postgres.restart">, holds: () => boolean, finish: Finish): void {
  const { postgres } = agent;
  postgres.stopImmediate();
  startAgainAsPrimary(agent, args.configuration);
  finishWhenLetIn(agent, holds, finish);
}

function finishWhenLetIn(agent: AgentModel, holds: () => boolean, finish: Finish): void {
  whenReady(agent, (ready) => {
    if (!ready) return finish(failed("error", "PostgreSQL ended while starting"));
    letInWhenFlushed(agent, holds, (letIn) =>
      finish(letIn ? place(agent) : failed("barrier-overdue", "too few members have flushed the end of recovery")),
    );
  });
}
