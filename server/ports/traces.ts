import type { AuditDraft } from "../core/index.ts";
import type { TraceExampleView, TraceGroupView, TraceListItem, TracePartView, TraceTrend } from "../protocol/index.ts";

export interface TraceFilter {
  readonly node?: string;
  readonly service?: string;
  /** Part of the service, type, message, or of a frame's function or file; case does not matter. */
  readonly search?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
  /** `count`: within the trend. Default `last-seen`; always descending. */
  readonly sort?: "last-seen" | "first-seen" | "count";
  readonly limit: number;
}

/** Steps of a trend: `bars` of `barMs`, added up from counts per minute or per hour. */
export interface TrendWindow {
  readonly fromMs: number;
  readonly barMs: number;
  readonly bars: number;
  readonly stepMs: 60_000 | 3_600_000;
}

export type Regrouped = "done" | "unknown-trace-group" | "same-trace-group" | "not-merged";

/**
 * Error traces by group. A group is a fingerprint, or several that a person merged: then it bears the name, message and frames of the one
 * that the others were merged into, and the figures of all. Rejects as `ReadStore` does when the database is away.
 */
export interface TraceStore {
  groups(filter: TraceFilter): Promise<readonly TraceGroupView[]>;
  /** The same with the trend of each. */
  groupsWithTrend(filter: TraceFilter, trend: TrendWindow): Promise<readonly TraceListItem[]>;
  /** Every service that has a group. */
  services(): Promise<readonly string[]>;
  /** By the id of the group or of any part of it. */
  group(id: string): Promise<{
    readonly group: TraceGroupView;
    readonly parts: readonly TracePartView[];
    readonly examples: readonly TraceExampleView[];
  } | null>;
  trend(groupId: string, window: TrendWindow): Promise<TraceTrend>;
  /** From now on `from`, and what was merged into them, belong to `into`, and so do their later traces. */
  merge(into: string, from: readonly string[], audit: AuditDraft): Promise<Regrouped>;
  /** The part is a group of its own again, with what it always had. */
  split(part: string, audit: AuditDraft): Promise<Regrouped>;
  /** Drops counts that no trend reaches, and the groups not seen for longest beyond what is kept. Answers with how many rows. */
  prune(nowMs: number): Promise<number>;
}
