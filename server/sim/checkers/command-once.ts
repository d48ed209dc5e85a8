import type { CreateChecker } from "./checker.ts";

/** A command id runs at most once, across agents' restarts. */
export const checkCommandOnce: CreateChecker = (_sim, violate) => {
  const began = new Set<string>();
  return {
    observe(event) {
      if (event.kind !== "command-began") return;
      const { id, verb } = event.command;
      if (began.has(id)) violate(`${event.node} ran command ${id} (${verb.verb}) twice`);
      began.add(id);
    },
  };
};
