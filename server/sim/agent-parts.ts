import * as lease from "../../agents/fence/lease.ts";
import { type FenceRecord, judgeCommand, recordOutcome, stillHolds } from "../../agents/fence/promise.ts";
import type { CommandOutcome } from "../core/index.ts";
import type { Network } from "./network.ts";
import type { PostgresModel } from "./postgres-model.ts";
import type { SimWorld } from "./trace.ts";
import type { Watchdog } from "./watchdog.ts";
import type { Host } from "./world.ts";

/** The functions of the agent's fence; injected so that a mutant can break one from outside. */
export interface Fence {
  readonly judgeCommand: typeof judgeCommand;
  readonly recordOutcome: typeof recordOutcome;
  readonly stillHolds: typeof stillHolds;
  readonly lease: typeof lease;
}

export const realFence: Fence = { judgeCommand, recordOutcome, stillHolds, lease };

/** The agent's hands where a mutant may break them. Every value here is what the protocol demands. */
export interface AgentHands {
  readonly namesOnPromote: (names: string) => string;
  readonly terminatesReceiver: boolean;
  readonly bootsFenced: boolean;
  readonly remembersCommands: boolean;
  readonly reservesTimeline: boolean;
  readonly admitsAfterSync: boolean;
  /** Each member streams by a replication slot of its own, so that nobody streams twice. */
  readonly streamsBySlot: boolean;
  /** A sealed member that was restarted reads its local WAL to the end, rather than telling what its receiver has got since. */
  readonly readsLocalWal: boolean;
  /** A member that is to follow reads its own position while it follows nobody, and does not follow a history that it is past. */
  readonly readsPositionFirst: boolean;
  /** Asynchronous mode: no server begins as a primary without a lease, and the dead-man timer stops it for good. */
  readonly waitsForLease: boolean;
  readonly stopsAtLeaseEnd: boolean;
}

export const soundHands: AgentHands = {
  namesOnPromote: (names) => names,
  terminatesReceiver: true,
  bootsFenced: true,
  remembersCommands: true,
  reservesTimeline: true,
  admitsAfterSync: true,
  streamsBySlot: true,
  readsLocalWal: true,
  readsPositionFirst: true,
  waitsForLease: true,
  stopsAtLeaseEnd: true,
};

/** What survives the agent's death; every change is fsynced before it counts. */
export interface AgentDisk {
  fence: FenceRecord;
  /** Commands begun: one whose outcome is missing after a restart is unknown for ever. */
  readonly begun: Set<string>;
  readonly outcomes: Map<string, CommandOutcome>;
  /** Outcomes that the control plane has not acknowledged. */
  readonly unacknowledged: Set<string>;
}

export interface AgentParts {
  readonly world: SimWorld;
  readonly network: Network;
  readonly host: Host;
  readonly postgres: PostgresModel;
  readonly controlHost: Host;
  readonly cluster: string;
  readonly peers: () => readonly PostgresModel[];
  /** What resets the machine when a primary would outlive its lease; null where there is none. */
  readonly watchdog: Watchdog | null;
  readonly fence?: Fence;
  readonly hands?: AgentHands;
}
