import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects garbage now. Node does it on its own when the heap grows, which after a burst (a clone) may be hours away: until then the agent would
 * keep tens of megabytes from the database beside it.
 */
export function releaseMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  if (typeof collect === "function") collect();
}
