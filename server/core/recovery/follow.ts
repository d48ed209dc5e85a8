import { commandStep, type Draft, demand } from "../draft.ts";
import { mostTimelines, type TimelineStart } from "../replication/timelines.ts";
import { endpointOf } from "./members.ts";
import type { ClusterRecord, EpochRecord, SealedMember } from "./types.ts";

/**
 * Timelines of the cluster's epochs, oldest first. A promotion whose place was never told may have left the timeline before it anywhere: it
 * stands for a fork of unknown place, under the lowest number that it can have had.
 */
export function historyOf({ epochs }: ClusterRecord): TimelineStart[] {
  const history: TimelineStart[] = [];
  for (const { timeline, switchLsn } of epochs) {
    if (timeline !== null) history.push({ timeline, switchLsn });
    else history.push({ timeline: (history.at(-1)?.timeline ?? 0) + 1, switchLsn: null });
  }
  return history.slice(-mostTimelines);
}

/**
 * The history that a candidate is about to open: what is known, and the timeline reserved for it from where it was sealed. Those who are to follow
 * were sealed as members: none of them is past a fork that an epoch of unknown outcome made.
 */
export function comingHistory(cluster: ClusterRecord, candidate: SealedMember, timeline: number): TimelineStart[] {
  const known = cluster.epochs.filter((epoch) => epoch.timeline !== null);
  const history = [...historyOf({ ...cluster, epochs: known }), { timeline, switchLsn: candidate.lsn }];
  return history.slice(-mostTimelines);
}

/**
 * The epochs with what their primary tells now of its timeline: promotions of its own whose outcome was unknown until then have their place, or turn out not
 * to have happened. Without it nobody would ever fit the present epoch again.
 */
export function learnTimeline(
  epochs: readonly EpochRecord[],
  { timeline, switchLsn }: { readonly timeline: number; readonly switchLsn: number | null },
): EpochRecord[] {
  const known = epochs.findLastIndex((epoch) => epoch.timeline !== null);
  return epochs.map((epoch, index) => (index > known ? { ...epoch, timeline, switchLsn } : epoch));
}

/** Tells each of these nodes whom to follow under the new grant. */
export function sendFollows(
  draft: Draft,
  actionId: string,
  cluster: ClusterRecord,
  followers: readonly string[],
  grant: {
    readonly epoch: number;
    readonly intentId: string;
    readonly configVersion: number;
    readonly history: readonly TimelineStart[];
  },
): void {
  const primary = endpointOf(cluster, demand(cluster.primary, "primary"));
  const { history, ...granted } = grant;
  for (const node of followers) {
    const args = { primary, configurations: cluster.configurations, history };
    commandStep(draft, actionId, { ...granted, kind: "follow", node, verb: { verb: "postgres.follow", args } });
  }
}
