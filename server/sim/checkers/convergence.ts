import type { Simulation } from "../simulation.ts";
import type { CreateChecker } from "./checker.ts";

/**
 * After the last heal everything comes right by itself: one primary that takes writes, every other member streaming under its epoch,
 * the synchronous set whole and alone in force, no action open, no command pending.
 */
export const checkConvergence: CreateChecker = (sim, violate) => ({
  observe() {},
  finish(nowMs) {
    const problems = describeUnconverged(sim, nowMs);
    if (problems.length > 0) violate(`not converged: ${problems.join("; ")}`);
  },
});

/** What is not as promised now. */
export function describeUnconverged(sim: Simulation, nowMs: number): readonly string[] {
  const cluster = sim.control.tables.clusters.get(sim.cluster);
  if (cluster === undefined) return ["the cluster was never recorded"];
  const problems: string[] = [];
  const primary = sim.nodes.find((node) => node.name === cluster.primary);
  const others = sim.nodes.filter((node) => node !== primary);
  if (primary === undefined) problems.push("no primary is recorded");
  else {
    const { postgres, writer } = primary;
    if (!postgres.answers || postgres.role !== "primary") problems.push(`${primary.name} does not run as primary`);
    if (nowMs - writer.lastAcknowledgedMs > 5_000)
      problems.push(`no write was acknowledged on ${primary.name} for 5 s`);
    for (const other of others) {
      const name = `e${cluster.epoch}_${other.name}`;
      const streams = postgres.senders.some((sender) => sender.applicationName === name && sender.streaming);
      if (!streams) problems.push(`${other.name} does not stream as ${name}`);
    }
  }
  for (const other of others) {
    if (other.postgres.role === "primary") problems.push(`${other.name} runs as a second primary`);
  }
  const inForce = cluster.configurations.map((item) => `${item.version}:{${item.members.join(",")}}`);
  const whole = cluster.configurations[0]?.members.length === others.length;
  if (inForce.length !== 1 || !whole) problems.push(`recorded configurations are ${inForce.join(" ")}`);
  if (cluster.openActionId !== null) problems.push(`${cluster.openActionId} is still open`);
  if (cluster.automation.state !== "on") problems.push(`automation is held (${cluster.automation.reason})`);
  return problems;
}
