import type { SimNode } from "../simulation.ts";
import type { CreateChecker } from "./checker.ts";

/** A silence up to this long is a blip: it may not cost a failover. */
const blipMs = 1_000;
const heartbeatMs = 250;
/** A fault explains a failover that begins this long after it at most. */
const explainsForMs = 30_000;

/**
 * An automatic failover needs a cause in the world: the primary's server died, or at least one standby could not reach it for more than a
 * blip. A dead agent alone, a dead standby, a lost control plane or a loaded machine are none. This is also what "proof or two
 * observers" comes to when seen from outside: one observer's trouble is not the primary's.
 */
export const checkNeedlessFailover: CreateChecker = (sim, violate) => {
  const impairedSince = new Map<string, number>();
  const impairedAt = new Map<string, number>();
  const explainedAt = new Map<string, number>();
  const known = new Set<string>();

  const isImpaired = (primary: SimNode): boolean => {
    const { postgres, host } = primary;
    if (!postgres.answers || postgres.diskStuck || postgres.diskFull || !host.up) return true;
    return sim.nodes.some(
      (other) =>
        other !== primary &&
        (!sim.network.passes(primary.name, other.name) || !sim.network.passes(other.name, primary.name)),
    );
  };

  const note = (name: string, nowMs: number): void => {
    const node = sim.nodes.find((other) => other.name === name);
    if (node === undefined || !isImpaired(node)) {
      // Two blips with less than a heartbeat between them are one: nobody can have heard anything.
      if (nowMs - (impairedAt.get(name) ?? Number.NEGATIVE_INFINITY) > heartbeatMs) impairedSince.delete(name);
      return;
    }
    impairedAt.set(name, nowMs);
    const since = impairedSince.get(name) ?? nowMs;
    impairedSince.set(name, since);
    // Sampled every 100 ms, so it may have begun that much earlier.
    if (nowMs - since >= blipMs - 100) explainedAt.set(name, nowMs);
  };

  return {
    observe(event, nowMs) {
      if (event.kind === "postgres-ended") explainedAt.set(event.node, nowMs);
      if (event.kind !== "control-committed") return;
      for (const write of event.writes) {
        if (write.kind !== "put-action" || known.has(write.value.id)) continue;
        const { id, kind, automatic, from, reason } = write.value;
        known.add(id);
        if (kind !== "failover" || !automatic || from === null) continue;
        note(from, nowMs);
        const explained = explainedAt.get(from) ?? Number.NEGATIVE_INFINITY;
        if (nowMs - explained > explainsForMs) violate(`needless failover ${id} away from ${from} (${reason})`);
      }
    },
    sample(nowMs) {
      for (const node of sim.nodes) note(node.name, nowMs);
    },
  };
};
