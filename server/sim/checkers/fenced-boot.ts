import type { CreateChecker } from "./checker.ts";

/** A server is started as a primary only where the agent's own record says that it was granted primary. */
export const checkFencedBoot: CreateChecker = (sim, violate) => ({
  observe(event) {
    if (event.kind !== "postgres-started" || event.role !== "primary") return;
    const agent = sim.nodes.find((node) => node.name === event.node)?.agent;
    if (agent === undefined) return;
    const { startedUnder, startedAtBoot, disk } = agent;
    if (startedAtBoot) {
      violate(`${event.node} came up as a primary at boot, before anybody could be asked`);
    } else if (startedUnder !== "primary" && startedUnder !== "demoted") {
      const epoch = disk.fence.promise?.epoch ?? 0;
      violate(
        `${event.node} was started as a primary while its agent's standing was "${startedUnder}" (epoch ${epoch})`,
      );
    }
  },
});
