import { applicationName, standbyNames, unsatisfiableNames } from "../../agents/drivers/postgres/names.ts";
import type { CommandOutcome, CommandRecord, SyncConfiguration, Verb } from "../core/index.ts";
import type { AgentModel } from "./agent-model.ts";
import { runRejoin } from "./agent-rejoin.ts";
import { admitWhenSynced, writeStandbySettings } from "./agent-supervisor.ts";

/** The verbs on the modelled server, with durations as measured on a real one. `finish` is called once at most. */
export type Finish = (outcome: CommandOutcome) => void;
type Args<V extends Verb["verb"]> = Extract<Verb, { verb: V }>["args"];

export const done = (data: Readonly<Record<string, unknown>> = {}): CommandOutcome => ({ status: "done", data });
export const failed = (code: string, detail: string): CommandOutcome => ({ status: "failed", code, detail });

export function runVerb(agent: AgentModel, command: CommandRecord, finish: Finish): void {
  const { verb, grant } = command;
  const now = (): boolean => agent.holds(grant);
  switch (verb.verb) {
    case "postgres.initialize":
      return initialize(agent, verb.args.configuration, finish);
    case "postgres.adopt":
      return finish(failed("precondition", "the simulator starts without a running server"));
    case "postgres.learn":
      return finish(done());
    case "postgres.seal":
      return seal(agent, now, finish);
    case "postgres.promote":
      return promote(agent, verb.args, now, finish);
    case "postgres.follow":
      return follow(agent, verb.args, finish);
    case "postgres.configure":
      return configure(agent, verb.args, finish);
    case "postgres.verify":
      return verify(agent, verb.args.deadlineMs, finish);
    case "postgres.fence":
      return fence(agent, finish);
    case "postgres.demote":
      return demote(agent, verb.args.deadlineMs, now, finish);
    case "postgres.regrant":
      return regrant(agent, verb.args.configuration, now, finish);
    case "postgres.rejoin":
      return runRejoin(agent, verb.args, now, finish);
    case "postgres.restart":
      return restart(agent, verb.args, now, finish);
    default:
      verb satisfies never;
  }
}

/** Polls until the server runs; false when it is gone or nothing came of it. */
export function whenRunning(agent: AgentModel, deadlineMs: number, then: (running: boolean) => void): void {
  const { postgres, world, process } = agent;
  if (postgres.answers) return then(true);
  if (!postgres.alive || deadlineMs <= 0) return then(false);
  world.after(20, process, () => whenRunning(agent, deadlineMs - 20, then));
}

function initialize(agent: AgentModel, configuration: SyncConfiguration, finish: Finish): void {
  const { postgres, world, process } = agent;
  if (postgres.disk.state !== "empty") return finish(failed("precondition", "the data directory is not empty"));
  world.work(600, process, () => {
    postgres.disk.state = "ok";
    postgres.disk.systemId = world.random.hex();
    postgres.disk.standbySignal = false;
    postgres.disk.names = standbyNames(configuration);
    postgres.start();
    whenRunning(agent, 5_000, (running) => {
      if (!running) return finish(failed("start-failed", "the server did not come up"));
      postgres.admitted = true;
      finish(done({ timeline: postgres.disk.flushed.timeline, systemId: postgres.disk.systemId }));
    });
  });
}

function seal(agent: AgentModel, holds: () => boolean, finish: Finish): void {
  const { postgres, world } = agent;
  const began = world.nowMs;
  const { configurations, promoteIssuedEpoch } = agent.disk.fence;
  const unknown = (promoted: boolean): void =>
    finish(done({ timeline: null, lsn: null, configurations, promoted, receiverGoneMs: 0 }));
  if (postgres.disk.state !== "ok") return unknown(false);
  if ((postgres.alive && postgres.role === "primary") || promoteIssuedEpoch !== null) {
    postgres.stopImmediate();
    writeStandbySettings(agent, null);
    return unknown(true);
  }
  if (!postgres.alive) {
    writeStandbySettings(agent, null);
    postgres.start();
  }
  whenRunning(agent, 5_000, (running) => {
    if (!running || !holds()) return unknown(false);
    postgres.setUpstream(null, postgres.disk.applicationName);
    postgres.setNames(unsatisfiableNames);
    const answer = (): void => {
      const { timeline, lsn } = postgres.disk.flushed;
      finish(done({ timeline, lsn, configurations, promoted: false, receiverGoneMs: world.nowMs - began }));
    };
    if (agent.hands.terminatesReceiver) postgres.terminateReceiver(answer);
    else answer();
  });
}

function promote(agent: AgentModel, args: Args<"postgres.promote">, holds: () => boolean, finish: Finish): void {
  const { postgres, world, process, hands } = agent;
  const began = world.nowMs;
  if (!postgres.answers || postgres.role !== "standby") {
    return finish(failed("precondition", "the server does not run as a standby"));
  }
  postgres.setNames(hands.namesOnPromote(standbyNames(args.configuration)));
  world.work(world.random.between(2, 12), process, () => {
    if (!holds()) return finish(failed("superseded", "a higher epoch was promised meanwhile"));
    if (hands.reservesTimeline) postgres.disk.historyUpTo = Math.max(postgres.disk.historyUpTo, args.timeline - 1);
    const wanted = postgres.process.incarnation;
    postgres.promote(() => {
      const { history, timeline } = postgres.disk.flushed;
      finish(done({ timeline, switchLsn: history.at(-1)?.endLsn ?? 0, ms: world.nowMs - began }));
    });
    watchServer(agent, wanted, finish);
  });
}

/** Ends the verb when the server dies under it. */
function watchServer(agent: AgentModel, incarnation: number, finish: Finish): void {
  const { postgres, world, process } = agent;
  world.after(100, process, () => {
    if (postgres.process.incarnation !== incarnation)
      finish(failed("server-ended", "the server ended during the command"));
    else if (postgres.role !== "primary") watchServer(agent, incarnation, finish);
  });
}

function follow(agent: AgentModel, args: Args<"postgres.follow">, finish: Finish): void {
  const { postgres, world, process } = agent;
  if (postgres.disk.state !== "ok") return finish(failed("precondition", "there is no usable data directory"));
  if (postgres.alive && postgres.role === "primary") {
    return finish(failed("precondition", "the server runs as a primary"));
  }
  if (!postgres.alive) {
    writeStandbySettings(agent, args.primary.node);
    postgres.start();
    return whenRunning(agent, 8_000, (running) =>
      finish(running ? done() : failed("start-failed", "the server did not come up")),
    );
  }
  const epoch = agent.disk.fence.promise?.epoch ?? 0;
  whenRunning(agent, 8_000, (running) => {
    if (!running) return finish(failed("start-failed", "the server did not come up"));
    postgres.setNames(unsatisfiableNames);
    postgres.setUpstream(args.primary.node, applicationName(epoch, agent.node));
    world.work(world.random.between(2, 10), process, () => finish(done()));
  });
}

function configure(agent: AgentModel, args: Args<"postgres.configure">, finish: Finish): void {
  const { postgres, world, process } = agent;
  if (!postgres.answers || postgres.role !== "primary") {
    return finish(failed("precondition", "the server does not run as a primary"));
  }
  postgres.setNames(standbyNames(args.configuration));
  world.work(world.random.between(6, 15), process, () => {
    if (!postgres.answers) return finish(failed("server-ended", "the server ended during the command"));
    const leaving = new Set(args.leaving);
    postgres.terminateSenders((sender) => leaving.has(sender.node));
    finish(done({ flushLsn: postgres.disk.flushed.lsn }));
  });
}

function verify(agent: AgentModel, deadlineMs: number, finish: Finish): void {
  const { postgres, world, process } = agent;
  const began = world.nowMs;
  const taken = postgres.agentCommit(false, (how) => {
    if (how === "acknowledged") finish(done({ ms: world.nowMs - began }));
    else finish(failed("server-ended", "the session ended before the write was acknowledged"));
  });
  if (!taken) return finish(failed("precondition", "the server does not run as a primary"));
  world.after(deadlineMs, process, () => finish(failed("timeout", `no follower acknowledged within ${deadlineMs} ms`)));
}

function fence(agent: AgentModel, finish: Finish): void {
  const { postgres, world, process } = agent;
  postgres.stopImmediate();
  if (postgres.disk.state === "ok") writeStandbySettings(agent, null);
  world.work(5, process, () => finish(done()));
}

function demote(agent: AgentModel, deadlineMs: number, holds: () => boolean, finish: Finish): void {
  const { postgres, world, process } = agent;
  const began = world.nowMs;
  if (!postgres.answers || postgres.role !== "primary") {
    return finish(failed("precondition", "the server does not run as a primary"));
  }
  const { standing } = agent.disk.fence;
  postgres.admitted = false;
  postgres.stopFast();
  const look = (): void => {
    if (!postgres.alive) {
      writeStandbySettings(agent, null);
      return finish(done({ lsn: postgres.disk.flushed.lsn, timeline: postgres.disk.flushed.timeline }));
    }
    if (world.nowMs - began < deadlineMs) return world.after(3, process, look);
    if (!holds()) return finish(failed("superseded", "a higher epoch was promised meanwhile"));
    postgres.stopImmediate();
    const names =
      standing.kind === "demoted" && standing.configuration !== null
        ? standbyNames(standing.configuration)
        : unsatisfiableNames;
    startPrimary(agent, names, () =>
      finish(failed("deadline", "the shutdown took too long; the server runs as primary again")),
    );
  };
  world.after(3, process, look);
}

function regrant(agent: AgentModel, configuration: SyncConfiguration, holds: () => boolean, finish: Finish): void {
  const { postgres } = agent;
  if (postgres.answers && postgres.role === "primary") {
    postgres.setNames(standbyNames(configuration));
    postgres.admitted = true;
    return finish(done({ timeline: postgres.disk.flushed.timeline }));
  }
  if (postgres.disk.state !== "ok") return finish(failed("precondition", "there is no usable data directory"));
  postgres.stopImmediate();
  if (!holds()) return finish(failed("superseded", "a higher epoch was promised meanwhile"));
  startPrimary(agent, standbyNames(configuration), (running) =>
    finish(
      running
        ? done({ timeline: postgres.disk.flushed.timeline })
        : failed("start-failed", "the server did not come up"),
    ),
  );
}

function restart(agent: AgentModel, args: Args<"postgres.restart">, holds: () => boolean, finish: Finish): void {
  const { postgres } = agent;
  if (postgres.disk.state !== "ok") return finish(failed("precondition", "there is no usable data directory"));
  if (postgres.alive) postgres.stopImmediate();
  if (!holds()) return finish(failed("superseded", "a higher epoch was promised meanwhile"));
  const answer = (running: boolean): void =>
    finish(
      running
        ? done({ timeline: postgres.disk.flushed.timeline })
        : failed("start-failed", "the server did not come up"),
    );
  if (args.as === "primary") return startPrimary(agent, standbyNames(args.configuration), answer);
  writeStandbySettings(agent, postgres.disk.upstream);
  postgres.start();
  whenRunning(agent, 8_000, answer);
}

/** Starts as primary on the present timeline and lets users in once enough standbys hold all of it. */
function startPrimary(agent: AgentModel, names: string, then: (running: boolean) => void): void {
  const { postgres } = agent;
  postgres.disk.standbySignal = false;
  postgres.disk.names = names;
  postgres.disk.upstream = null;
  postgres.start();
  admitWhenSynced(agent);
  whenRunning(agent, 8_000, then);
}
