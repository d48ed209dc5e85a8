import type { Grant, RedisVerb } from "../../../../server/core/index.ts";
import type { RedisInstance } from "../instance.ts";

/** What a verb works with. Its grant was accepted and is durable before it runs. */
export interface RedisVerbContext {
  readonly instance: RedisInstance;
  readonly grant: Grant;
  /** False as soon as something higher was promised. */
  stillHolds(): boolean;
  /** True once somebody asked a long verb to end early. */
  shouldStop(): boolean;
  progress(progress: number, data: Readonly<Record<string, string | number | boolean | null>>): void;
}

export type RedisArgs<V extends RedisVerb["verb"]> = Extract<RedisVerb, { readonly verb: V }>["args"];
