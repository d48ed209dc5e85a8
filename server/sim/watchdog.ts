import type { SimWorld } from "./trace.ts";
import type { Host } from "./world.ts";

/** A watchdog beside the machine: it goes on while every process of the host is stopped, and bites when it is not fed. */
export interface Watchdog {
  /** After this long without food the machine is reset. */
  readonly biteMs: number;
  feed(): void;
  /** Closed in good order: it sleeps. */
  disarm(): void;
}

const rebootMs = 4_000;

/** `reboot` brings up what runs on the host by itself. */
export function createWatchdog(world: SimWorld, host: Host, biteMs: number, reboot: () => void): Watchdog {
  let fedMs: number | null = null;
  let looking = false;
  const look = (): void => {
    looking = false;
    if (fedMs === null || !host.up) {
      fedMs = null;
      return;
    }
    const dueMs = fedMs + biteMs;
    if (world.nowMs >= dueMs) {
      fedMs = null;
      reset(world, host, rebootMs, reboot);
      return;
    }
    looking = true;
    world.after(dueMs - world.nowMs, null, look);
  };
  return {
    biteMs,
    feed() {
      fedMs = world.nowMs;
      if (!looking) {
        looking = true;
        world.after(biteMs, null, look);
      }
    },
    disarm() {
      fedMs = null;
    },
  };
}

/** Everything on the host ends as if its power had been cut, and it comes up again unless somebody keeps it down. */
export function reset(world: SimWorld, host: Host, rebootAfterMs: number, reboot: () => void): void {
  for (const process of host.processes) world.kill(process, "power");
  world.after(rebootAfterMs, null, () => {
    if (host.up) reboot();
  });
}
