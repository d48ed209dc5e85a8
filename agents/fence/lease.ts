import type { LeaseTerms } from "../../server/core/index.ts";
import type { FenceRecord } from "./promise.ts";

/**
 * The lease of an asynchronous primary, pure: the simulator runs this same code. Times are milliseconds of the machine's monotonic clock.
 *
 * The primary asks again and again; the number of a request is the time at which it was made. Whoever renews names the request, and the
 * lease counts from when it was made: however long a renewal is on its way, it never lasts longer than the renewer could know.
 */
export interface LeaseBook {
  readonly epoch: number;
  readonly terms: LeaseTerms;
  /** Who may renew it beside the control plane. */
  readonly members: readonly string[];
  /** When this agent took up the grant, or found it after a start. */
  readonly sinceMs: number;
  /** The newest request that the control plane has renewed. */
  readonly byControl: number | null;
  /** The same by member. */
  readonly byMember: Readonly<Record<string, number>>;
}

/** Without any renewal the server is left alone for this share of the lease: it was just granted, or the agent just started. */
const graceShare = 0.5;
/** What is left of the lease when sessions are ended, and when the server is stopped. */
const readOnlyShare = 0.3;
const stopShare = 0.2;
/** Nobody has renewed for this long: from here on the server must not run ahead of its standbys beyond the limit. */
const lateMs = 1_500;

/** The book that belongs to this grant; null when the member holds none, or one without a lease. */
export function openLease(record: FenceRecord, before: LeaseBook | null, nowMs: number): LeaseBook | null {
  const { standing, promise } = record;
  if (standing.kind !== "primary" && standing.kind !== "demoted") return null;
  const terms = standing.configuration?.lease;
  if (promise === null || standing.configuration === null || terms === undefined) return null;
  const { members } = standing.configuration;
  const { epoch } = promise;
  if (before?.epoch === epoch) return { ...before, terms, members };
  return { epoch, terms, members, sinceMs: nowMs, byControl: null, byMember: {} };
}

/** The number of the request that is made now. */
export function askNumber(nowMs: number): number {
  return Math.floor(nowMs);
}

/** `by`: the member that renews, null for the control plane. A renewal of another epoch, or of a request not made yet, is none. */
export function renewLease(
  book: LeaseBook,
  renewal: { readonly by: string | null; readonly epoch: number; readonly ask: number },
  nowMs: number,
): LeaseBook {
  const { by, epoch, ask } = renewal;
  if (epoch !== book.epoch || !Number.isSafeInteger(ask) || ask > nowMs) return book;
  if (by === null) return { ...book, byControl: Math.max(ask, book.byControl ?? ask) };
  if (!book.members.includes(by)) return book;
  return { ...book, byMember: { ...book.byMember, [by]: Math.max(ask, book.byMember[by] ?? ask) } };
}

/** The newest request that counts as renewed: by the control plane, or by half of the members. Null: none. */
export function renewedAt(book: LeaseBook): number | null {
  const asks = book.members.map((member) => book.byMember[member] ?? Number.NEGATIVE_INFINITY).sort((a, b) => b - a);
  // As many as `renewersNeeded` of the core: what a failover leaves unsealed is always fewer.
  const byMembers = asks[Math.ceil(book.members.length / 2) - 1] ?? Number.NEGATIVE_INFINITY;
  const newest = Math.max(book.byControl ?? Number.NEGATIVE_INFINITY, byMembers);
  return Number.isFinite(newest) ? newest : null;
}

/** What is left of the lease; 0 when it has run out or was never granted. */
export function leaseLeftMs(book: LeaseBook, nowMs: number): number {
  const renewed = renewedAt(book);
  return renewed === null ? 0 : Math.max(0, renewed + book.terms.durationMs - nowMs);
}

/** Whether a server may be started or promoted under it: enough is left for that to end well. */
export function mayBegin(book: LeaseBook, nowMs: number): boolean {
  return leaseLeftMs(book, nowMs) > book.terms.durationMs * graceShare;
}

/** How far the server is ahead of the standby that has come furthest, and how far it came since the last look. */
export interface Advance {
  readonly lagBytes: number;
  readonly grownBytes: number;
}

/** What becomes of a server that runs as primary: it goes on, its sessions are ended and refused, or it is stopped. */
export function judgeLease(book: LeaseBook, advance: Advance, nowMs: number): "keep" | "read-only" | "stop" {
  const { durationMs, maxLagBytes } = book.terms;
  const renewed = renewedAt(book);
  if (renewed === null) return nowMs - book.sinceMs < durationMs * graceShare ? "keep" : "stop";
  const leftMs = renewed + durationMs - nowMs;
  if (leftMs <= durationMs * stopShare) return "stop";
  // Stopped before the limit and not after it: the next look would come too late.
  if (nowMs - renewed > lateMs && advance.lagBytes + advance.grownBytes >= maxLagBytes) return "stop";
  return leftMs <= durationMs * readOnlyShare ? "read-only" : "keep";
}

/** A watchdog is fed only while it would bite before the lease ends. */
export function mayFeed(book: LeaseBook, biteMs: number, nowMs: number): boolean {
  return leaseLeftMs(book, nowMs) > biteMs;
}

/** Whether this member may renew the lease of the primary that it follows: it holds no higher promise. */
export function mayRenew(record: FenceRecord, epoch: number): boolean {
  return record.standing.kind === "standby" && record.promise?.epoch === epoch;
}
