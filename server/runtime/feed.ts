import type { TimelineEntry } from "../core/index.ts";
import type { LiveFeed } from "../ports/control.ts";
import { type EntityView, type FeedFrame, limits } from "../protocol/index.ts";

export interface FeedChange {
  readonly put: readonly EntityView[];
  readonly removed: readonly { readonly entity: string; readonly id: string }[];
  readonly timeline: readonly TimelineEntry[];
  readonly originWallMs: number;
}

interface BacklogEntry extends FeedChange {
  readonly seq: number;
  readonly weight: number;
}

/** Who hears each `changes` frame: once serialized, with the keys it touches. */
type Listener = (frame: string, touched: ReadonlySet<string>) => void;

/**
 * The ordered stream of changes. Every change has the next `seq`; the newest ones are kept so that a viewer that was away
 * catches up, others get everything anew. A feed begins with the process: its id tells cursors of an earlier one apart.
 */
export class Feed implements LiveFeed {
  readonly feedId: string;
  readonly #listEntities: () => readonly EntityView[];
  readonly #listeners = new Set<Listener>();
  readonly #limit: number;
  #backlog: BacklogEntry[] = [];
  #weight = 0;
  #seq = 0;

  constructor(feedId: string, listEntities: () => readonly EntityView[], limit: number = limits.feedBacklog) {
    this.feedId = feedId;
    this.#listEntities = listEntities;
    this.#limit = limit;
  }

  get seq(): number {
    return this.#seq;
  }

  publish(change: FeedChange): void {
    this.#seq += 1;
    const weight = change.put.length + change.removed.length + change.timeline.length;
    this.#backlog.push({ ...change, seq: this.#seq, weight });
    this.#weight += weight;
    while (this.#weight > this.#limit && this.#backlog.length > 0) {
      this.#weight -= (this.#backlog.shift() as BacklogEntry).weight;
    }
    if (this.#listeners.size === 0) return;
    const frame = JSON.stringify(this.#changes(change, 0));
    const touched = touchedBy(change);
    for (const listener of this.#listeners) listener(frame, touched);
  }

  resume(cursor: { readonly feedId: string; readonly seq: number } | null): string {
    const missed = cursor === null || cursor.feedId !== this.feedId ? null : this.#after(cursor.seq);
    if (missed !== null) return JSON.stringify(this.#changes(merge(missed), missed.length));
    const snapshot: FeedFrame = {
      t: "snapshot",
      feedId: this.feedId,
      seq: this.#seq,
      entities: this.#listEntities(),
    };
    return JSON.stringify(snapshot);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes after `seq`; null when they are not all kept, or when `seq` is not one of ours. */
  #after(seq: number): BacklogEntry[] | null {
    if (!Number.isSafeInteger(seq) || seq < 0 || seq > this.#seq) return null;
    if (seq === this.#seq) return [];
    const first = this.#backlog[0];
    if (first === undefined || first.seq > seq + 1) return null;
    return this.#backlog.slice(seq + 1 - first.seq);
  }

  #changes(change: FeedChange, missed: number): FeedFrame {
    return { t: "changes", feedId: this.feedId, seq: this.#seq, missed, ...pick(change) };
  }
}

function pick({ put, removed, timeline, originWallMs }: FeedChange): FeedChange {
  return { put, removed, timeline, originWallMs };
}

/** The last word on each entity, and every timeline entry. */
function merge(entries: readonly BacklogEntry[]): FeedChange {
  const put = new Map<string, EntityView>();
  const removed = new Map<string, { entity: string; id: string }>();
  for (const entry of entries) {
    for (const view of entry.put) {
      put.set(keyOf(view), view);
      removed.delete(keyOf(view));
    }
    for (const gone of entry.removed) {
      put.delete(`${gone.entity}:${gone.id}`);
      removed.set(`${gone.entity}:${gone.id}`, gone);
    }
  }
  return {
    put: [...put.values()],
    removed: [...removed.values()],
    timeline: entries.flatMap((entry) => entry.timeline),
    originWallMs: entries.at(-1)?.originWallMs ?? 0,
  };
}

export function keyOf(view: EntityView): string {
  return view.entity === "system" ? "system" : `${view.entity}:${view.id}`;
}

function touchedBy(change: FeedChange): Set<string> {
  const touched = new Set(change.put.map(keyOf));
  for (const entry of change.timeline) if (entry.incidentId !== null) touched.add(`incident:${entry.incidentId}`);
  return touched;
}
