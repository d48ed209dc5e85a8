import { leaseLeftMs, renewedAt } from "../../../agents/fence/lease.ts";
import type { CreateChecker } from "./checker.ts";

/** A stop takes a moment. */
const limitMs = 1_500;

/** Asynchronous mode: where the agent lives, no primary outlives its lease. That is the dead-man timer, seen from outside. */
export const checkLeaseKept: CreateChecker = (sim, violate) => {
  const overSince = new Map<string, number>();
  return {
    observe() {},
    sample(nowMs) {
      for (const { name, agent, postgres, host } of sim.nodes) {
        const { lease, process } = agent;
        const mono = sim.world.monoMs(host);
        const isOver = lease !== null && renewedAt(lease) !== null && leaseLeftMs(lease, mono) === 0;
        const lives = process.alive && !process.frozen && host.load < 3;
        if (!isOver || !lives || !postgres.answers || postgres.role !== "primary") {
          overSince.delete(name);
          continue;
        }
        const since = overSince.get(name) ?? nowMs;
        overSince.set(name, since);
        if (nowMs - since > limitMs) violate(`${name} runs as primary ${limitMs} ms after its lease ran out`);
      }
    },
  };
};
