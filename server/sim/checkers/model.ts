import type { CreateChecker } from "./checker.ts";

/** Assertions of the core, the loop and the model itself. */
export const checkModel: CreateChecker = (_sim, violate) => ({
  observe(event) {
    if (event.kind === "model-violated") violate(event.text);
  },
});
