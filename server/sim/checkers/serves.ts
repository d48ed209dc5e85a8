import { holdsQuorum } from "../../core/recovery/quorum.ts";
import type { SimNode } from "../simulation.ts";
import type { CreateChecker } from "./checker.ts";

/** A primary that could serve has this long to acknowledge something. */
const limitMs = 5_000;
/** One whose disk is full is first watched for a while, then another takes over. */
const fullDiskLimitMs = 12_000;

/** A granted primary that is up, with enough members of its newest set streaming, acknowledges writes. */
export const checkServes: CreateChecker = (sim, violate) => {
  const ableSince = new Map<string, number>();
  /** Nodes whose disk was full at the last look: with its room the time begins anew. */
  const wasFull = new Set<string>();

  const couldServe = (node: SimNode): boolean => {
    const cluster = sim.control.tables.clusters.get(sim.cluster);
    const { postgres, agent, writer } = node;
    if (cluster?.primary !== node.name || cluster.durability.mode !== "sync") return false;
    if (!postgres.answers || postgres.role !== "primary" || postgres.diskStuck || postgres.disk.gateClosed)
      return false;
    const watched = [agent.process, writer.process, ...sim.nodes.map((other) => other.postgres.process)];
    if (watched.some((process) => process.frozen) || !agent.process.alive || !agent.connected) return false;
    if (agent.disk.fence.promise?.epoch !== cluster.epoch) return false;
    const running = [...sim.control.tables.actions.values()].filter((action) => action.phase === "running");
    if (running.some((action) => action.kind === "reconfigure" || action.kind === "switchover")) return false;
    const newest = cluster.configurations.at(-1);
    if (newest === undefined || newest.members.length === 0) return false;
    const streaming = newest.members.filter((member) => {
      const other = sim.nodes.find(({ name }) => name === member);
      if (other === undefined || !other.postgres.answers || other.postgres.diskStuck) return false;
      if (!sim.network.passes(node.name, member) || !sim.network.passes(member, node.name)) return false;
      return postgres.senders.some(
        (sender) => sender.applicationName === `e${newest.epoch}_${member}` && sender.streaming,
      );
    });
    // Of a full disk only a takeover helps, which needs the control plane with its database and no person who holds it back, and one more.
    const director = sim.control.process;
    const isDirected =
      cluster.automation.state === "on" &&
      director.alive &&
      !director.frozen &&
      sim.control.tables.faults.available &&
      !sim.network.isHeld(agent.process, director) &&
      sim.nodes.every(({ name }) => sim.network.passes("ctl", name) && sim.network.passes(name, "ctl"));
    // And after a promotion that no write could verify, the members of the epoch before are needed, too.
    const isVerified = cluster.configurations.every(({ epoch }) => epoch === cluster.epoch);
    if (!postgres.diskFull) return streaming.length >= newest.k;
    // And so many whose agents can promise that nothing older can be acknowledged any more.
    const sealable = streaming.filter((member) => {
      const other = sim.nodes.find(({ name }) => name === member);
      return other?.agent.process.alive === true && !other.agent.process.frozen && other.agent.connected;
    });
    return isDirected && isVerified && holdsQuorum(new Set(sealable), [newest]) && sealable.length > newest.k;
  };

  return {
    observe(event, nowMs) {
      if (event.kind === "row-acknowledged") ableSince.set(event.node, nowMs);
    },
    sample(nowMs) {
      for (const node of sim.nodes) {
        const { diskFull } = node.postgres;
        const turned = diskFull !== wasFull.has(node.name);
        if (diskFull) wasFull.add(node.name);
        else wasFull.delete(node.name);
        if (turned || !couldServe(node)) {
          ableSince.delete(node.name);
          continue;
        }
        const since = ableSince.get(node.name) ?? nowMs;
        ableSince.set(node.name, since);
        const allowedMs = diskFull ? fullDiskLimitMs : limitMs;
        if (nowMs - since <= allowedMs) continue;
        violate(`${node.name} is up with its followers and has acknowledged nothing for ${allowedMs / 1_000} s`);
        ableSince.set(node.name, nowMs);
      }
    },
  };
};
