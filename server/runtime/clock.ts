import { randomBytes } from "node:crypto";
import type { Clock } from "../ports/clock.ts";

/** The process's real clock. */
export const systemClock: Clock = {
  monoMs: () => Number(process.hrtime.bigint() / 1_000n) / 1_000,
  wallMs: () => Date.now(),
  entropy: () => randomBytes(16).toString("hex"),
  setTimer(run, delayMs) {
    const timer = setTimeout(run, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  soon(run) {
    // After the poll phase: frames that wait in the sockets come into the same batch.
    setImmediate(run);
  },
};
