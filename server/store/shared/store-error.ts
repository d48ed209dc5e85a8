import type { StoreUnavailable } from "../../ports/store.ts";

export class StoreUnavailableError extends Error implements StoreUnavailable {
  readonly code = "store-unavailable";

  constructor(detail: string, cause?: unknown) {
    super(`The store can't be reached: ${detail}. Nothing is decided until it answers again.`, { cause });
    this.name = "StoreUnavailableError";
  }
}
