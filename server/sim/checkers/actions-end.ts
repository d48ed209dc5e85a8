import type { CreateChecker } from "./checker.ts";

/** Every action ends: done, compensated, failed, aborted or needs-operator; none hangs, and no command waits for nobody. */
export const checkActionsEnd: CreateChecker = (sim, violate) => ({
  observe() {},
  finish() {
    for (const action of sim.control.tables.actions.values()) {
      if (action.phase === "running") violate(`${action.kind} ${action.id} still runs (${action.state})`);
    }
    const pending = [...sim.control.tables.commands.values()].filter((command) => command.finished === null);
    for (const { record } of pending) violate(`command ${record.verb.verb} to ${record.node} never had a result`);
  },
});
