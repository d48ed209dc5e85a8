import type { RecoveryAction, VerdictKind } from "./types.ts";

/** Faults of a host that leave what runs on it well elsewhere. */
export const hostFaults = ["disk-full", "disk-filling", "memory-short", "overload"] as const;

export type HostFault = (typeof hostFaults)[number];

export function isHostFault(kind: VerdictKind): kind is HostFault {
  return (hostFaults as readonly VerdictKind[]).includes(kind);
}

/** Recoveries that bring what an ill host carries to others, and leave the host as it is. */
export function movesAway(action: RecoveryAction): boolean {
  return action === "switch-over" || action === "drain-shard";
}
