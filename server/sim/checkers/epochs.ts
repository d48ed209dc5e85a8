import type { Grant } from "../../core/index.ts";
import type { CreateChecker } from "./checker.ts";

/** An agent never applies an older epoch, and an epoch belongs to one intent. */
export const checkEpochs: CreateChecker = (_sim, violate) => {
  const highest = new Map<string, Grant>();
  return {
    observe(event) {
      if (event.kind !== "grant-accepted") return;
      const { node, grant, verb } = event;
      const before = highest.get(node);
      if (before !== undefined && grant.epoch < before.epoch) {
        violate(`${node} accepted ${verb} of epoch ${grant.epoch} after epoch ${before.epoch}`);
      }
      if (before !== undefined && grant.epoch === before.epoch && grant.intentId !== before.intentId) {
        violate(`${node} accepted epoch ${grant.epoch} from two intents`);
      }
      if (before === undefined || grant.epoch >= before.epoch) highest.set(node, grant);
    },
  };
};
