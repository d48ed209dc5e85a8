import { getDocument } from "../documents.ts";
import { type Draft, demand } from "../draft.ts";
import type { RedisDocument, RedisServer } from "./servers.ts";
import type { RedisHistory } from "./status.ts";
import { patchRedis } from "./steps.ts";
import type { RedisLineage } from "./types.ts";

/**
 * Offsets of different histories can't be compared: an old master that has not been resynchronized may stand at a higher number than a replica
 * that holds every confirmed write. So a place is an offset in the history of the granted master, or it is none.
 */

const mostKept = 50;

export type Place =
  /** Holds that history up to `shared`; `beyond`: the history it went on with from there, if that is another one. */
  | { readonly kind: "shares"; readonly shared: number; readonly offset: number; readonly beyond: string | null }
  /**
   * On one that the same master wrote before it was started again (Redis forgets its history then): it holds what was confirmed in that one and
   * nothing since. The higher the `turn`, the later.
   */
  | { readonly kind: "before"; readonly turn: number; readonly offset: number }
  /** On a history that the master's left behind: it has confirmed nothing since, and has nothing to give. */
  | { readonly kind: "left" }
  /** Nobody knows how its history and the master's belong together: it may have confirmed writes, and may have lost them. */
  | { readonly kind: "unknown" };

const unknown: Place = { kind: "unknown" };

/** Where a server with this history and offset stands in the lineage; without a lineage (null) nobody knows. */
export function placeIn(lineage: RedisLineage | null, own: RedisHistory | undefined, offset: number | null): Place {
  if (lineage === null || own === undefined || own.replicationId === null || offset === null) return unknown;
  const { current, before, left } = lineage;
  const shares = (shared: number, beyond: string | null = null): Place => ({ kind: "shares", shared, offset, beyond });
  if (own.replicationId === current.replicationId) return shares(offset);
  if (own.replicationId === current.earlier?.replicationId)
    return offset <= current.earlier.end ? shares(offset) : { kind: "left" };
  const { earlier } = own;
  // The master took a new id (Redis does with every change of role) and its replica was told sooner than we were.
  if (earlier !== null && earlier.replicationId === current.replicationId)
    return shares(Math.min(offset, earlier.end), own.replicationId);
  const fresh = current.replicationId === null ? current.earlier : null;
  if (fresh !== null && earlier?.replicationId === fresh.replicationId && earlier.end === fresh.end)
    return shares(fresh.end, own.replicationId);
  const turn = before.indexOf(own.replicationId);
  if (turn !== -1) return { kind: "before", turn, offset };
  return left.includes(own.replicationId) ? { kind: "left" } : unknown;
}

/** Whether it may have what the master wrote: only such a server may be promoted. */
export function mayLead(place: Place): boolean {
  return place.kind === "shares" || place.kind === "before";
}

export function placeOf(record: RedisDocument, { status }: RedisServer): Place {
  return placeIn(record.lineage ?? null, status === null ? undefined : readHistory(status), status?.offset ?? null);
}

/** The history that a status or the answer to a command names. */
export function readHistory({ replicationId, earlier }: { replicationId?: unknown; earlier?: unknown }): RedisHistory {
  const before = earlier as Partial<NonNullable<RedisHistory["earlier"]>> | null | undefined;
  const known = typeof before?.replicationId === "string" && typeof before.end === "number";
  return {
    replicationId: typeof replicationId === "string" ? replicationId : null,
    earlier: known ? { replicationId: before.replicationId as string, end: before.end as number } : null,
  };
}

/** The master says its history. One that it does not continue was lost with its process: replicas may still stand there. */
export function learnHistory(draft: Draft, id: string, seen: RedisHistory): void {
  const { lineage = null } = demand(getDocument(draft, "redis", id), id);
  if (seen.replicationId === null || isSame(lineage?.current, seen)) return;
  const last = lineage?.current.replicationId ?? null;
  const forgotten = last !== null && last !== seen.replicationId && last !== seen.earlier?.replicationId;
  const before = [...(lineage?.before ?? []), ...(forgotten ? [last] : [])].slice(-mostKept);
  patchRedis(draft, id, { lineage: { current: seen, before, left: leave(lineage, seen.replicationId) } });
}

/** A sealed replica is promoted: its history ends at `offset`, and the next one has no name yet. */
export function branchHistory(
  record: RedisDocument,
  own: RedisHistory | undefined,
  offset: number,
): RedisLineage | null {
  if (own === undefined || own.replicationId === null) return null;
  const current = { replicationId: null, earlier: { replicationId: own.replicationId, end: offset } };
  return { current, before: [], left: leave(record.lineage ?? null, null) };
}

function leave(lineage: RedisLineage | null, next: string | null): string[] {
  if (lineage === null) return [];
  const { current, before, left } = lineage;
  const ids = [...left, ...before, current.earlier?.replicationId ?? null, current.replicationId];
  return [...new Set(ids.filter((each) => each !== null && each !== next))].slice(-mostKept) as string[];
}

function isSame(a: RedisHistory | undefined, b: RedisHistory): boolean {
  return (
    a?.replicationId === b.replicationId &&
    a.earlier?.replicationId === b.earlier?.replicationId &&
    a.earlier?.end === b.earlier?.end
  );
}
