import { demand } from "../draft.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import type { State } from "../state.ts";
import type { Endpoint } from "./command.ts";
import type { ClusterRecord } from "./types.ts";

export function endpointOf(cluster: ClusterRecord, node: string): Endpoint {
  const member = demand(cluster.members[node], `member ${node}`);
  return { node, host: member.host, port: member.port };
}

/** Every member's address: the agent makes a replication slot for each but itself. */
export function endpoints(cluster: ClusterRecord): Endpoint[] {
  return Object.keys(cluster.members)
    .sort()
    .map((node) => endpointOf(cluster, node));
}

/** The configuration given out last. */
export function currentConfiguration(cluster: ClusterRecord): SyncConfiguration | null {
  return cluster.configurations.at(-1) ?? null;
}

/** True when the primary's own view shows a walsender of this epoch's name streaming to the node. */
export function isStreaming(state: State, cluster: ClusterRecord, node: string): boolean {
  if (cluster.primary === null) return false;
  const rows = state.live.nodes.get(cluster.primary)?.postgres?.replication ?? [];
  return rows.some((row) => row.applicationName === `e${cluster.epoch}_${node}` && row.state === "streaming");
}

/** True when the record names a primary and its agent says that it runs as one. */
export function isPrimaryRunning(state: State, cluster: ClusterRecord): boolean {
  if (cluster.primary === null) return false;
  const live = state.live.nodes.get(cluster.primary);
  return live?.connected === true && live.postgres?.state === "running" && live.postgres.role === "primary";
}
