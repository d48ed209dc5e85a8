import { createStallLog, type StallLog } from "./detection/self-suspicion.ts";
import type { Document } from "./documents.ts";
import type { Incident } from "./incident/types.ts";
import type { SubjectMonitor } from "./monitoring/monitor.ts";
import type { Policy } from "./policy/types.ts";
import type { CommandRecord } from "./recovery/command.ts";
import type { Action, ClusterRecord } from "./recovery/types.ts";
import type { ServiceLive } from "./service/types.ts";
import type { NodeLive, NodeRecord } from "./topology/types.ts";

/** What is committed before it is acted on. Entities are never changed in place: a decision carries whole new ones. */
export interface Durable {
  readonly nodes: Map<string, NodeRecord>;
  readonly clusters: Map<string, ClusterRecord>;
  /** Incidents that are not closed. */
  readonly incidents: Map<string, Incident>;
  /** Actions that are running, and those of open incidents. */
  readonly actions: Map<string, Action>;
  /** Commands without a result. */
  readonly commands: Map<string, CommandRecord>;
  /** Open documents by `documentKey`. */
  readonly documents: Map<string, Document>;
  policy: Policy;
  /** Counters for readable ids. */
  counters: Counters;
}

export interface Counters {
  readonly incident: number;
  readonly action: number;
  readonly change?: number;
}

/** What is only observed. Lost at a restart; changed in place; a batch that changes only this commits nothing. */
export interface Live {
  readonly nodes: Map<string, NodeLive>;
  readonly clusters: Map<string, ClusterLive>;
  readonly services: Map<string, ServiceLive>;
  /** What the monitoring rules remember of each subject: `node:pg-a`, `service:orders`. */
  readonly monitors: Map<string, SubjectMonitor>;
  /** What a move of slots last said of itself, by command; only for the screen. */
  readonly redisMoves: Map<string, { readonly slots: number; readonly keys: number }>;
  self: SelfLive;
}

/** Observation of a cluster that is not worth a commit; detectors keep their memory here. */
export interface ClusterLive {
  readonly id: string;
  /** Wall clock at which each present condition was first seen, by condition key; drives hysteresis and "since". */
  readonly since: Map<string, number>;
  /** Nodes that report how they see a member: the only ones worth asking. */
  readonly observers: Set<string>;
  /** Asynchronous clusters: how far the primary's WAL has come, and how fast. */
  wal?: PrimaryWal | undefined;
  /** Why nobody takes over by itself, while the primary is lost. */
  refusal?: Refusal | undefined;
}

/** Why something is not done: a code with what its sentence needs. */
export interface Refusal {
  readonly code: string;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

export interface PrimaryWal {
  readonly node: string;
  readonly lsn: number;
  /** Our monotonic clock. */
  readonly atMs: number;
  /** The highest rate of late; it fades by a twentieth a second. */
  readonly bytesPerSecond: number;
  /** Where the present measurement began. */
  readonly from: { readonly lsn: number; readonly atMs: number };
}

export interface SelfLive {
  startedAtMs: number;
  storeAvailable: boolean;
  loopLagMs: number;
  /** Own stalls: silence during one, and a grace after it, does not count. */
  stalls: StallLog;
  frozen: { readonly reason: string; readonly sinceMs: number } | null;
  /** Nodes that the control plane itself has a fencing hook for. */
  fences?: readonly string[] | undefined;
}

export interface State {
  readonly durable: Durable;
  readonly live: Live;
}

export function createState(policy: Policy): State {
  return {
    durable: {
      nodes: new Map(),
      clusters: new Map(),
      incidents: new Map(),
      actions: new Map(),
      commands: new Map(),
      documents: new Map(),
      policy,
      counters: { incident: 0, action: 0 },
    },
    live: {
      nodes: new Map(),
      clusters: new Map(),
      services: new Map(),
      monitors: new Map(),
      redisMoves: new Map(),
      self: { startedAtMs: 0, storeAvailable: true, loopLagMs: 0, stalls: createStallLog(), frozen: null },
    },
  };
}
