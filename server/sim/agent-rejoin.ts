import type { Verb } from "../core/index.ts";
import type { AgentModel } from "./agent-model.ts";
import { writeStandbySettings } from "./agent-supervisor.ts";
import { done, type Finish, failed, whenRunning } from "./agent-verbs.ts";
import type { PostgresModel } from "./postgres-model.ts";
import { forkOf, holds as historyHolds, refuseFollow } from "./wal.ts";

type Args = Extract<Verb, { verb: "postgres.rejoin" }>["args"];

/** `pg_rewind` or a clone, then the owned settings, then a start as a standby: never the other way round. */
export function runRejoin(agent: AgentModel, args: Args, holds: () => boolean, finish: Finish): void {
  const { postgres, world, process } = agent;
  const source = agent.parts.peers().find((peer) => peer.node === args.primary.node);
  if (source === undefined) return finish(failed("precondition", `${args.primary.node} is not known here`));
  if (args.mode === "rewind" && postgres.disk.state !== "ok") {
    return finish(failed("precondition", "there is nothing to rewind"));
  }
  const began = world.nowMs;
  agent.rejoining = true;
  postgres.stopImmediate();
  const end: Finish = (outcome) => {
    agent.rejoining = false;
    finish(outcome);
  };
  const costMs = args.mode === "rewind" ? world.random.between(250, 900) : world.random.between(900, 3_000);
  if (!reachable(agent, source))
    return world.after(1_000, process, () => end(failed("source-unreachable", "no connection to the primary")));
  const before = postgres.disk.written;
  const untouched = args.mode === "rewind" && refuseFollow(before, source.disk.flushed) === null;
  if (!untouched) postgres.disk.state = "broken";
  world.work(costMs, process, () => {
    if (!holds()) return end(failed("superseded", "a higher epoch was promised meanwhile"));
    if (!reachable(agent, source)) return end(failed("source-unreachable", "the connection to the primary was lost"));
    const divergentBytes = copyFrom(agent, source, untouched);
    // The source's settings came along, and no signal file: both are put right before any start.
    writeStandbySettings(agent, args.primary.node);
    postgres.start();
    whenRunning(agent, 10_000, (running) => {
      const ms = world.nowMs - began;
      if (running) end(done({ mode: args.mode, bytes: 16_000_000, divergentBytes, setAside: null, ms }));
      else end(failed("start-failed", "the server did not come up"));
    });
  });
}

function reachable(agent: AgentModel, source: PostgresModel): boolean {
  const { network } = agent.parts;
  const passes = network.passes(agent.node, source.node) && network.passes(source.node, agent.node);
  return passes && source.host.up && source.answers && source.role === "primary";
}

function copyFrom(agent: AgentModel, source: PostgresModel, untouched: boolean): number {
  const { postgres, world } = agent;
  const before = postgres.disk.written;
  if (untouched) {
    // "source and target cluster are on the same timeline, no rewind required": judged by number and position alone.
    if (!historyHolds(source.disk.flushed, before)) {
      world.emit({ kind: "history-mixed", node: agent.node, with: source.node, timeline: before.timeline });
    }
    return 0;
  }
  const sameSystem = postgres.disk.systemId === source.disk.systemId;
  const divergentBytes = sameSystem ? before.lsn - forkOf(before, source.disk.flushed).lsn : 0;
  postgres.disk.written = source.disk.flushed;
  postgres.disk.flushed = source.disk.flushed;
  postgres.disk.systemId = source.disk.systemId;
  postgres.disk.historyUpTo = source.disk.flushed.timeline;
  postgres.disk.names = source.disk.names;
  postgres.disk.standbySignal = false;
  postgres.disk.state = "ok";
  return divergentBytes;
}
