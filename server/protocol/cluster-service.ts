import type { OwnerKind } from "./telemetry-frame.ts";

/** What a cluster is called among the services: as spans name a database, and never the same as an application of its name. */
export function clusterServiceName(kind: Exclude<OwnerKind, "service">, cluster: string): string {
  return `${kind === "database" ? "postgresql" : "redis"}/${cluster}`;
}
