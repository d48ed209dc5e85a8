import { mayBeginNow } from "./agent-lease.ts";
import type { AgentModel } from "./agent-model.ts";
import { startAgainAsPrimary } from "./agent-server.ts";

/** Nothing followed a demote: the member takes up its grant again, sooner when nobody can be asked. */
export function watchDemote(agent: AgentModel, deadlineMs: number, holds: () => boolean): void {
  const { world, process } = agent;
  // An asynchronous primary never comes back by itself: somebody else may have been promoted by then.
  const { standing } = agent.disk.fence;
  if (standing.kind === "demoted" && standing.configuration?.lease !== undefined) return;
  const watch = agent.demoteWatch;
  const look = (waited: boolean): void => {
    if (agent.demoteWatch !== watch) return;
    if (agent.connected && !waited) {
      world.after(3 * deadlineMs, process, () => look(true));
      return;
    }
    returnAsPrimary(agent, holds);
  };
  world.after(deadlineMs, process, () => look(false));
}

export function returnAsPrimary(agent: AgentModel, holds: () => boolean): void {
  const { standing } = agent.disk.fence;
  if (!holds() || standing.kind !== "demoted" || standing.configuration === null) return;
  if (!mayBeginNow(agent, standing.configuration)) return;
  agent.postgres.stopImmediate();
  startAgainAsPrimary(agent, standing.configuration);
}
