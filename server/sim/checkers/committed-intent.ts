import type { CreateChecker } from "./checker.ts";

/** Nothing leaves before it was committed: no command without its record, and none of an action nobody recorded. */
export const checkCommittedIntent: CreateChecker = (_sim, violate) => {
  const commands = new Set<string>();
  const actions = new Set<string>();
  return {
    observe(event) {
      if (event.kind === "control-committed") {
        for (const write of event.writes) {
          if (write.kind === "put-command") commands.add(write.value.id);
          else if (write.kind === "put-action") actions.add(write.value.id);
        }
      } else if (event.kind === "command-sent") {
        const { id, actionId, verb, node } = event.command;
        if (!commands.has(id)) violate(`${verb.verb} was sent to ${node} before it was committed`);
        if (!actions.has(actionId)) violate(`${verb.verb} was sent to ${node} for an action that is not recorded`);
      }
    },
  };
};
