import type { CreateChecker } from "./checker.ts";

/** While the control plane suspects itself it observes and begins nothing on its own. */
export const checkFrozen: CreateChecker = (_sim, violate) => {
  const known = new Set<string>();
  return {
    observe(event) {
      if (event.kind === "control-started") known.clear();
      if (event.kind !== "control-decided") return;
      const { frozen } = event.state.live.self;
      for (const write of event.decision.writes) {
        if (write.kind !== "put-action") continue;
        const { value } = write;
        const isNew = !known.has(value.id) && !event.state.durable.actions.has(value.id);
        known.add(value.id);
        if (isNew && value.automatic && frozen !== null) {
          violate(`${value.kind} ${value.id} was begun while frozen (${frozen.reason})`);
        }
      }
    },
  };
};
