import type { Verb } from "../core/index.ts";
import type { AgentModel } from "./agent-model.ts";
import { startStandby } from "./agent-server.ts";
import { done, type Finish, failed } from "./agent-verbs.ts";
import type { PostgresModel } from "./postgres-model.ts";
import { forkOf, holds as reaches, refuseFollow } from "./wal.ts";

type Args = Extract<Verb, { verb: "postgres.rejoin" }>["args"];

const streamingDeadlineMs = 120_000;

/** Rewound where possible and asked for, cloned otherwise; ends when the member streams. Interrupted, it is done again. */
export function runRejoin(agent: AgentModel, args: Args, epoch: number, holds: () => boolean, finish: Finish): void {
  const { postgres, world, process } = agent;
  const source = agent.parts.peers().find((peer) => peer.node === args.primary.node);
  if (source === undefined) return finish(failed("error", `${args.primary.node} can't be reached`));
  const beganMs = world.nowMs;
  agent.rejoining = true;
  const end: Finish = (outcome) => {
    agent.rejoining = false;
    finish(outcome);
  };
  const overtaken = failed("overtaken", "a higher promise was made while this command ran");
  const finishCopy = (mode: "rewind" | "clone", divergentBytes: number): void => {
    if (!holds()) return end(overtaken);
    postgres.disk.gateClosed = false;
    // The source's settings came along, and no signal file: both are put right before any start.
    startStandby(agent, args.primary.node, epoch);
    const { incarnation } = postgres.process;
    const look = (): void => {
      if (!holds()) return end(overtaken);
      if (postgres.process.incarnation !== incarnation)
        return end(failed("ended", "PostgreSQL ended after the rejoin"));
      if (postgres.answers && postgres.receiver?.status === "streaming") {
        const ms = Math.round(world.nowMs - beganMs);
        return end(done({ mode, bytes: 16_000_000, divergentBytes, setAside: null, ms }));
      }
      if (world.nowMs - beganMs > streamingDeadlineMs)
        return end(failed("not-streaming", "no stream after the rejoin"));
      world.after(25, process, look);
    };
    world.after(25, process, look);
  };
  const clone = (): void => {
    postgres.stopImmediate();
    // The primary is asked first: data that can't be replaced is not thrown away.
    if (!reachable(agent, source))
      return world.after(1_000, process, () => end(failed("error", "the primary can't be reached")));
    postgres.disk.state = "empty";
    copy(agent, source, world.random.between(900, 3_000), holds, (divergentBytes) => {
      if (divergentBytes === null) end(holds() ? failed("error", "the primary can't be reached") : overtaken);
      else finishCopy("clone", divergentBytes);
    });
  };
  if (args.mode === "clone" || postgres.disk.state !== "ok") return clone();
  postgres.stopImmediate();
  rewind(agent, source, holds, (divergentBytes) => {
    if (divergentBytes !== null) finishCopy("rewind", divergentBytes);
    else if (holds()) clone();
    else end(overtaken);
  });
}

function reachable(agent: AgentModel, source: PostgresModel): boolean {
  const { network } = agent.parts;
  const passes = network.passes(agent.node, source.node) && network.passes(source.node, agent.node);
  return passes && source.host.up && source.answers;
}

type Copied = (divergentBytes: number | null) => void;

/** `pg_rewind`: refuses a source in recovery, and sees nothing to do where timeline number and position say so. */
function rewind(agent: AgentModel, source: PostgresModel, holds: () => boolean, then: Copied): void {
  const { postgres, world } = agent;
  if (!reachable(agent, source) || source.role !== "primary") {
    return world.after(200, agent.process, () => then(null));
  }
  const before = postgres.disk.written;
  if (refuseFollow(before, source.disk.flushed) === null) {
    if (!reaches(source.disk.flushed, before)) {
      world.emit({ kind: "history-mixed", node: agent.node, with: source.node, timeline: before.timeline });
    }
    return world.work(80, agent.process, () => then(0));
  }
  postgres.disk.state = "broken";
  copy(agent, source, world.random.between(250, 900), holds, then);
}

/** Takes over the source's data; the directory is unusable until it is whole. */
function copy(agent: AgentModel, source: PostgresModel, costMs: number, holds: () => boolean, then: Copied): void {
  const { postgres, world, process } = agent;
  const { incarnation } = source.process;
  world.work(costMs, process, () => {
    if (!holds() || !reachable(agent, source) || source.process.incarnation !== incarnation) return then(null);
    const { disk } = postgres;
    const sameSystem = disk.systemId === source.disk.systemId;
    const divergentBytes = sameSystem ? disk.written.lsn - forkOf(disk.written, source.disk.flushed).lsn : 0;
    disk.written = source.disk.flushed;
    disk.flushed = source.disk.flushed;
    disk.systemId = source.disk.systemId;
    disk.historyUpTo = source.disk.flushed.timeline;
    disk.names = source.disk.names;
    disk.standbySignal = false;
    disk.state = "ok";
    then(divergentBytes);
  });
}
