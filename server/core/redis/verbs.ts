import type { Endpoint } from "../recovery/command.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import type { RedisHistory, SlotRange } from "./status.ts";

/** What may be asked of an agent about its Redis servers. `k` of a configuration is what `min-replicas-to-write` becomes. */
export type RedisVerb =
  /** Be (or go on as) the master under this grant: writes that were held go on. */
  | { readonly verb: "redis.grant"; readonly args: { readonly configuration: SyncConfiguration } }
  /** Promise the epoch and take nothing more from the master; answers with history and offset. Stays a read-only replica of nobody. */
  | { readonly verb: "redis.seal"; readonly args: Readonly<Record<string, never>> }
  /** Leave the old master for good and take writes. */
  | { readonly verb: "redis.promote"; readonly args: { readonly configuration: SyncConfiguration } }
  /** Follow this master; what the old history has beyond it is given up and counted. Starts the server when it is down. */
  | { readonly verb: "redis.follow"; readonly args: { readonly primary: Endpoint } }
  /** Take no writes any more: read-only replica of nobody; a server that does not answer is killed. */
  | { readonly verb: "redis.fence"; readonly args: Readonly<Record<string, never>> }
  /** A real write that `k` replicas confirmed. */
  | { readonly verb: "redis.verify"; readonly args: { readonly deadlineMs: number; readonly k: number } }
  /** Redis Cluster: move slots away from one of this agent's masters, keys and all, one slot after the other. */
  | {
      readonly verb: "redis.move-slots";
      readonly args: {
        readonly source: RedisNode;
        readonly target: RedisNode;
        /** Every other master: they are told the new owner, too. */
        readonly others: readonly RedisNode[];
        readonly slots: readonly SlotRange[];
        readonly batchKeys: number;
        /** Pauses between slots keep it below this; null: none. */
        readonly maxSlotsPerSecond: number | null;
        /** Which copy stays of a key that is on both sides, where nobody can see which is the later one; absent: such a key ends the move. */
        readonly keep?: "source" | "target";
      };
    }
  /** End a move after the slot in flight. */
  | { readonly verb: "redis.stop-moving"; readonly args: { readonly instance: string } }
  /** Redis Cluster: `CLUSTER FAILOVER` on a replica. */
  | {
      readonly verb: "redis.cluster-failover";
      readonly args: { readonly instance: string; readonly mode: "graceful" | "force" | "takeover" };
    }
  /** Redis Cluster: an empty master becomes a replica of this one, named by the cluster's own id (`CLUSTER REPLICATE`). */
  | {
      readonly verb: "redis.cluster-replicate";
      readonly args: { readonly instance: string; readonly master: string };
    };

/** A server of a Redis Cluster: the name we use, and the id that the cluster uses. */
export interface RedisNode {
  readonly instance: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

export interface RedisSealReply extends RedisHistory {
  readonly offset: number | null;
  /** It writes a history of its own already. */
  readonly promoted: boolean;
}

export interface RedisMoveReply {
  readonly slots: number;
  readonly keys: number;
  /** Keys that were on both sides after a server was lost in the middle of a slot: the source's copy won. */
  readonly replaced: number;
  readonly ms: number;
  /** True when it was told to stop before its last slot. */
  readonly stopped: boolean;
}
