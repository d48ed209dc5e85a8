import { type Draft, getCluster } from "../draft.ts";
import type { ClusterRecord } from "../recovery/types.ts";

/** A database as clients name it, by its kind and its own name. */
const database = /^postgres(?:ql)?\//;

/**
 * The PostgreSQL cluster of ours whose primary telemetry knows by this name: by the primary's own name or address, or, where clients name only the
 * database, as the one cluster that all who reach it work with. Null: none, or more than one may be meant.
 */
export function clusterBehind(draft: Draft, name: string): ClusterRecord | null {
  const { durable, live } = draft.state;
  for (const id of durable.clusters.keys()) {
    const cluster = getCluster(draft, id);
    const primary = cluster?.members[cluster.primary ?? ""];
    if (cluster === null || primary === undefined) continue;
    const address = `${primary.host}:${primary.port}`;
    if (name === id || name === primary.id || name === address || name.endsWith(`@${address}`)) return cluster;
  }
  if (!database.test(name)) return null;
  const clients = [...live.services.values()].filter(({ measure }) => measure.reaches.includes(name));
  const [first, ...others] = clients.map(({ measure }) => measure.clusters.filter((id) => durable.clusters.has(id)));
  const common = (first ?? []).filter((id) => others.every((list) => list.includes(id)));
  return common.length === 1 ? getCluster(draft, common[0] as string) : null;
}
