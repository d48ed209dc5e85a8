import type { Event, TimelineEntry } from "../core/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { ClusterView, EntityView, MemberView, RedisView } from "../protocol/index.ts";
import type { FeedChange } from "./feed.ts";

/** Entities that changed only in what is observed are sent at most this often. */
const liveIntervalMs = 250;
/** … and at most this often when an agent says that something has changed: whoever watches wants to see it happen. */
const urgentIntervalMs = 50;
/** A first change waits this long for its neighbours. */
const coalesceMs = 10;
/** Figures that move with every heartbeat are refreshed this often on a small fleet, less often on a large one. */
const softMinMs = 1_000;
const softMaxMs = 30_000;
const softPerNodeMs = 20;
/** A gap between two writes that is worth showing at once. */
const outageMs = 300;

interface Sent {
  atMs: number;
  softAtMs: number;
  hard: string;
}

export interface PublisherParts {
  readonly clock: Clock;
  /** The view of an entity; null when it is gone. */
  view(key: string): EntityView | null;
  publish(change: FeedChange): void;
  nodeCount(): number;
}

/**
 * Decides what is worth a frame. Committed changes go out at once; observations at 4 Hz an entity; a node whose row
 * differs only in figures that move with every beat is refreshed slowly: changes are sent, not heartbeats.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #dirty = new Map<string, { dueMs: number; originWallMs: number }>();
  readonly #sent = new Map<string, Sent>();
  #cancel: (() => void) | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Sends `touched` now (durable) or when each is due (live). `urgent`: somebody reports a change, not a beat. */
  mark(
    touched: ReadonlySet<string>,
    durable: boolean,
    timeline: readonly TimelineEntry[],
    originWallMs: number,
    urgent = false,
  ): void {
    const nowMs = this.#parts.clock.monoMs();
    for (const key of touched) {
      const known = this.#dirty.get(key);
      if (known !== undefined && !urgent) continue;
      const last = this.#sent.get(key)?.atMs ?? Number.NEGATIVE_INFINITY;
      const dueMs = Math.max(nowMs + coalesceMs, last + (urgent ? urgentIntervalMs : liveIntervalMs));
      if (known === undefined || dueMs < known.dueMs) this.#dirty.set(key, { dueMs, originWallMs });
    }
    if (durable) this.#send([...touched], timeline, originWallMs, true);
    this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#dirty.clear();
  }

  #flush(): void {
    const nowMs = this.#parts.clock.monoMs();
    const due: string[] = [];
    let originWallMs = 0;
    for (const [key, entry] of this.#dirty) {
      if (entry.dueMs > nowMs + coalesceMs) continue;
      due.push(key);
      originWallMs = Math.max(originWallMs, entry.originWallMs);
    }
    this.#send(due, [], originWallMs, false);
    this.#arm();
  }

  #send(
    keys: readonly string[],
    timeline: readonly TimelineEntry[],
    originWallMs: number,
    evenWhenSame: boolean,
  ): void {
    const put: EntityView[] = [];
    const removed: { entity: string; id: string }[] = [];
    for (const key of keys) {
      this.#dirty.delete(key);
      const view = this.#parts.view(key);
      if (view === null) {
        if (this.#sent.delete(key)) removed.push(splitKey(key));
      } else if (this.#isWorthSending(key, view) || evenWhenSame) put.push(view);
    }
    if (put.length + removed.length + timeline.length === 0) return;
    this.#parts.publish({ put, removed, timeline, originWallMs });
  }

  #isWorthSending(key: string, view: EntityView): boolean {
    const nowMs = this.#parts.clock.monoMs();
    const hard = hardPart(view);
    const sent = this.#sent.get(key);
    const softMs = Math.min(softMaxMs, Math.max(softMinMs, this.#parts.nodeCount() * softPerNodeMs));
    if (sent !== undefined && sent.hard === hard && nowMs - sent.softAtMs < softMs) return false;
    this.#sent.set(key, { atMs: nowMs, softAtMs: nowMs, hard });
    return true;
  }

  #arm(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#dirty.values()) next = Math.min(next, entry.dueMs);
    if (next === Number.POSITIVE_INFINITY || next >= this.#timerAtMs) return;
    this.#cancel?.();
    this.#timerAtMs = next;
    this.#cancel = this.#parts.clock.setTimer(() => {
      this.#cancel = null;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#flush();
    }, next - this.#parts.clock.monoMs());
  }
}

/** An agent beats out of turn when something has changed; its end is news, too. */
export function isUrgent(event: Event): boolean {
  return event.kind === "heartbeat-received" ? event.eager : event.kind === "agent-disconnected";
}

function splitKey(key: string): { entity: string; id: string } {
  const colon = key.indexOf(":");
  return colon < 0 ? { entity: key, id: key } : { entity: key.slice(0, colon), id: key.slice(colon + 1) };
}

/** What makes a difference to a reader at once. Suspicion counts in half steps; the rest of a node's figures can wait. */
function hardPart(view: EntityView): string {
  switch (view.entity) {
    case "node": {
      const { state, reasons, role, cluster, connected, maintenance, labels, zone, agentVersion } = view;
      const suspicion = Math.min(8, Math.floor((view.suspicion / view.suspicionThreshold) * 4));
      return JSON.stringify([
        state,
        reasons,
        role,
        cluster,
        connected,
        maintenance,
        labels,
        zone,
        agentVersion,
        suspicion,
      ]);
    }
    case "cluster":
      return JSON.stringify({ ...view, members: view.members.map(hardMember), workload: hardWorkload(view.workload) });
    case "redis":
      return hardRedis(view);
    case "system":
      return JSON.stringify({ ...view, wallMs: 0, loopLagMs: Math.round(view.loopLagMs / 20), mailboxDepth: 0 });
    case "incident":
    case "action":
    case "document":
      return JSON.stringify(view);
    default:
      return view satisfies never;
  }
}

/** Roles, links, slots and progress; what moves with every command is refreshed slowly. */
function hardRedis(view: RedisView): string {
  const members = view.members.map((member) => ({
    ...member,
    offset: null,
    lagBytes: null,
    lagMs: null,
    link: member.link === null ? null : { ...member.link, ioAgoMs: null },
    probe: member.probe?.ok,
    keys: null,
    memoryBytes: null,
    clients: null,
    commandsPerSecond: null,
  }));
  return JSON.stringify({ ...view, members, promises: null });
}

/** Positions and lags move all the time; whether a member streams, leads or may take over does not. */
function hardMember(member: MemberView): MemberView {
  return { ...member, lsn: null, lagBytes: null, lagMs: null, responseRatio: null };
}

/** Whether writes go on, and where; how many is refreshed slowly. */
function hardWorkload(workload: ClusterView["workload"]): unknown {
  if (workload === null) return null;
  const { name, writingTo, lastOutage, lost, unavailableForMs } = workload;
  return [name, writingTo, lastOutage, lost, unavailableForMs > outageMs];
}
