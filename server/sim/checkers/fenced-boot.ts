import type { CreateChecker } from "./checker.ts";

/** A server comes up as a primary only where the agent's own record says that it was granted primary. */
export const checkFencedBoot: CreateChecker = (sim, violate) => ({
  observe(event) {
    if (event.kind !== "postgres-started" || event.role !== "primary") return;
    const agent = sim.nodes.find((node) => node.name === event.node)?.agent;
    if (agent === undefined) return;
    const { standing, promise } = agent.disk.fence;
    if (standing.kind !== "primary" && standing.kind !== "demoted") {
      violate(
        `${event.node} came up as a primary while its agent's standing is "${standing.kind}" (epoch ${promise?.epoch ?? 0})`,
      );
    } else if (!agent.process.alive) {
      violate(`${event.node} came up as a primary without its agent`);
    } else if (agent.startedAtBoot) {
      violate(`${event.node} came up as a primary at boot, before anybody could be asked`);
    }
  },
});
