import type { SyncConfiguration } from "../replication/status.ts";
import type { CandidateVerdict, ClusterRecord, SealedMember } from "./types.ts";

/**
 * A commit acknowledged under `ANY k (M)` is on at least k of M. A set Q of sealed members therefore holds a member
 * with every acknowledged commit when |Q ∩ M| ≥ |M| − k + 1. It must hold for every configuration that may be in force.
 * With k = 0 (asynchronous) nothing but the primary is sure to hold a commit, and no quorum of standbys is enough.
 */
export function holdsQuorum(sealed: ReadonlySet<string>, configurations: readonly SyncConfiguration[]): boolean {
  return configurations.every((configuration) => missingFor(sealed, configuration) <= 0);
}

/** How many more members of the configuration have to be sealed; 0 or less when the quorum is there. */
export function missingFor(sealed: ReadonlySet<string>, configuration: SyncConfiguration): number {
  if (configuration.k === 0) return Number.POSITIVE_INFINITY;
  const present = configuration.members.filter((member) => sealed.has(member)).length;
  return configuration.members.length - configuration.k + 1 - present;
}

/** Recorded configurations joined with those the sealed agents know: an apply of unknown result may be in force. */
export function unionConfigurations(
  recorded: readonly SyncConfiguration[],
  told: readonly (readonly SyncConfiguration[])[],
): SyncConfiguration[] {
  const oldest = recorded[0];
  const union = new Map<string, SyncConfiguration>();
  for (const configuration of recorded) union.set(configurationKey(configuration), configuration);
  for (const configuration of told.flat()) {
    // What is older than the oldest recorded one was superseded by a barrier; agents may still remember it.
    if (oldest !== undefined && isOlder(configuration, oldest)) continue;
    union.set(configurationKey(configuration), configuration);
  }
  return [...union.values()].sort((a, b) => a.epoch - b.epoch || a.version - b.version);
}

function isOlder(a: SyncConfiguration, b: SyncConfiguration): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.version < b.version);
}

function configurationKey(configuration: SyncConfiguration): string {
  return `${configuration.epoch}/${configuration.version}`;
}

/** Order of histories: the timeline first, then the position on it. */
export function comparePosition(a: SealedMember, b: SealedMember): number {
  return a.timeline - b.timeline || a.lsn - b.lsn;
}

/**
 * Chooses the sealed member with the highest position. Preference and name decide only between equal positions: anything
 * else could lose an acknowledged commit. `wanted` (an operator's choice) is taken only when it is one of those.
 */
export function chooseCandidate(
  cluster: ClusterRecord,
  sealed: readonly SealedMember[],
  wanted: string | null,
): { readonly chosen: string | null; readonly verdicts: readonly CandidateVerdict[] } {
  const eligible = sealed.filter(
    (member) => (cluster.members[member.node]?.priority ?? 0) > 0 || member.node === wanted,
  );
  const best = eligible.reduce<SealedMember | null>(
    (top, member) => (top === null || comparePosition(member, top) > 0 ? member : top),
    null,
  );
  if (best === null)
    return { chosen: null, verdicts: sealed.map((member) => refuse(member.node, "priority-zero", {})) };
  const ahead = sealed.some((member) => comparePosition(member, best) > 0);
  if (ahead) return { chosen: null, verdicts: sealed.map((member) => refuse(member.node, "behind-barred-member", {})) };
  const equals = eligible
    .filter((member) => comparePosition(member, best) === 0)
    .sort((a, b) => priorityOf(cluster, b.node) - priorityOf(cluster, a.node) || a.node.localeCompare(b.node, "en"));
  const chosen = (equals.find((member) => member.node === wanted) ?? equals[0] ?? best).node;
  return { chosen, verdicts: sealed.map((member) => explain(cluster, member, best, chosen)) };
}

function priorityOf(cluster: ClusterRecord, node: string): number {
  return cluster.members[node]?.priority ?? 0;
}

function explain(cluster: ClusterRecord, member: SealedMember, best: SealedMember, chosen: string): CandidateVerdict {
  const data = { lsn: member.lsn, timeline: member.timeline };
  if (member.node === chosen)
    return { node: member.node, chosen: true, eligible: true, reason: { code: "highest-lsn", data } };
  const behind = best.lsn - member.lsn;
  if (comparePosition(member, best) < 0) {
    return {
      node: member.node,
      chosen: false,
      eligible: false,
      reason: { code: "behind", data: { ...data, behindBytes: behind } },
    };
  }
  const code =
    priorityOf(cluster, member.node) < priorityOf(cluster, chosen) ? "lower-priority" : "same-lsn-later-name";
  return { node: member.node, chosen: false, eligible: true, reason: { code, data: { ...data, chosen } } };
}

function refuse(node: string, code: string, data: CandidateVerdict["reason"]["data"]): CandidateVerdict {
  return { node, chosen: false, eligible: false, reason: { code, data } };
}
