import type { FailoverMode } from "./failover-plan.ts";
import type { MigrationKind } from "./types.ts";

/** What a person may ask for a Redis cluster. */
export type RedisRequest =
  | {
      readonly kind: "redis-migrate";
      readonly cluster: string;
      readonly migration: MigrationKind;
      /** Drain: a server of the shard. */
      readonly shard: string | null;
      readonly weights: Readonly<Record<string, number>>;
      /** At most so many slots a second, of all servers together; null: as fast as they can. */
      readonly maxSlotsPerSecond: number | null;
      /** Of a key on both sides, where nobody can see which copy is the later one: which stays; null: such a key ends the move. */
      readonly keep: "source" | "target" | null;
      readonly planHash: string;
      readonly reason: string;
    }
  | { readonly kind: "redis-stop-migration"; readonly cluster: string; readonly reason: string }
  | {
      readonly kind: "redis-failover";
      readonly cluster: string;
      readonly target: string | null;
      readonly mode: FailoverMode;
      /** The plan that was shown; null: whatever holds now. */
      readonly planHash: string | null;
      readonly reason: string;
    }
  | {
      readonly kind: "redis-automation";
      readonly cluster: string;
      readonly state: "on" | "held";
      readonly reason: string;
    };
