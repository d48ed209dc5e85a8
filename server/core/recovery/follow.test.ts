import { describe, expect, it } from "vitest";
import { fitsHistory, mostTimelines } from "../replication/timelines.ts";
import { comingHistory, historyOf, learnTimeline } from "./follow.ts";
import type { ClusterRecord, SealedMember } from "./types.ts";

const clusterOf = (...starts: readonly (readonly [number | null, number | null])[]): ClusterRecord =>
  ({ epochs: starts.map(([timeline, switchLsn]) => ({ timeline, switchLsn })) }) as unknown as ClusterRecord;
const candidate = (lsn: number): SealedMember => ({ node: "pg-b", timeline: 1, lsn, configurations: [] });

describe("the history that a follower is told", () => {
  it("has a fork of unknown place for a promotion that never told its own: what stands before it does not fit", () => {
    const history = historyOf(clusterOf([1, null], [null, null], [4, 900]));
    expect(history.map(({ switchLsn }) => switchLsn)).toEqual([null, null, 900]);
    expect(fitsHistory(history, 1, 1)).toBe(false);
    expect(fitsHistory(history, 4, 5_000)).toBe(true);
  });

  it("ends with the candidate's place: sealed up to there a member fits, past it none does", () => {
    const history = comingHistory(clusterOf([1, null]), candidate(500), 2);
    expect(fitsHistory(history, 1, 500)).toBe(true);
    expect(fitsHistory(history, 1, 501)).toBe(false);
  });

  it("has its place again when the primary tells it: one whose promotion was unknown is followed by whoever stopped there", () => {
    const { epochs } = clusterOf([1, null], [null, null], [null, null]);
    const learnt = { epochs: learnTimeline(epochs, { timeline: 2, switchLsn: 900 }) } as unknown as ClusterRecord;
    expect(learnt.epochs.map(({ timeline }) => timeline)).toEqual([1, 2, 2]);
    expect(fitsHistory(historyOf(learnt), 1, 900)).toBe(true);
    expect(fitsHistory(historyOf(learnt), 1, 901)).toBe(false);
    expect(fitsHistory(historyOf(learnt), 2, 5_000)).toBe(true);
    // It had not happened: everybody is still where the primary is.
    const never = { epochs: learnTimeline(epochs, { timeline: 1, switchLsn: null }) } as unknown as ClusterRecord;
    expect(fitsHistory(historyOf(never), 1, 5_000)).toBe(true);
  });

  it("is one that an agent takes, however many epochs there were", () => {
    const cluster = clusterOf(...Array.from({ length: 200 }, (_, index) => [index + 1, index * 100] as const));
    for (const history of [historyOf(cluster), comingHistory(cluster, candidate(50_000), 201)]) {
      expect(history).toHaveLength(mostTimelines);
      expect(fitsHistory(history, 200, 20_000)).toBe(true);
      expect(fitsHistory(history, 2, 1)).toBe(false);
    }
  });
});
