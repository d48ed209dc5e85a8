import type { Endpoint, SyncConfiguration } from "../../../server/core/index.ts";

/** Names by which PostgreSQL knows members. They carry the epoch: a primary counts only standbys of its own. */

/** `application_name` of a member's WAL receiver: `e<epoch>_<node>`. */
export function applicationName(epoch: number, node: string): string {
  return `e${epoch}_${node}`;
}

export interface ParsedApplicationName {
  readonly epoch: number;
  readonly node: string;
}

/** Reads `e<epoch>_<node>`; null for anything else. */
export function parseApplicationName(text: string): ParsedApplicationName | null {
  const match = /^e(\d{1,15})_([a-z0-9-]{1,40})$/.exec(text);
  if (match === null) return null;
  return { epoch: Number(match[1]), node: match[2] as string };
}

/** Replication slot of a member. Slot names allow no hyphen; node names have no underscore, so no two members share one. */
export function slotName(node: string): string {
  return `holdfast_${node.replaceAll("-", "_")}`;
}

/** Names that nobody can satisfy: every member that is not granted primary carries them. */
export const unsatisfiableNames = "ANY 1 (e0_nobody)";

/** `synchronous_standby_names` for a configuration. Empty only when the configuration is asynchronous (`k = 0`). */
export function standbyNames(configuration: SyncConfiguration): string {
  if (configuration.k === 0) return "";
  if (configuration.members.length === 0) return unsatisfiableNames;
  const members = configuration.members.map((node) => `"${applicationName(configuration.epoch, node)}"`);
  return `ANY ${configuration.k} (${members.join(",")})`;
}

/** The members of a cluster without this one. */
export function othersOf(peers: readonly Endpoint[], node: string): readonly string[] {
  return peers.map((peer) => peer.node).filter((name) => name !== node);
}
