import type { CommandOutcome, Grant, RedisVerb, Verb } from "../../../server/core/index.ts";
import { stillHolds } from "../../fence/promise.ts";
import { outcomeOfError } from "../postgres/verbs/context.ts";
import type { RedisInstance } from "./instance.ts";
import { failOverShard, replicateShard } from "./verbs/cluster.ts";
import type { RedisArgs, RedisVerbContext } from "./verbs/context.ts";
import { moveSlots } from "./verbs/move-slots.ts";
import { fence, follow, grant, promote, seal, verify } from "./verbs/replica-set.ts";

type Run = (context: RedisVerbContext, verb: RedisVerb) => Promise<Record<string, unknown>>;

function handle<V extends RedisVerb["verb"]>(
  name: V,
  handler: (context: RedisVerbContext, args: RedisArgs<V>) => Promise<Record<string, unknown>>,
): readonly [string, Run] {
  return [name, (context, verb) => handler(context, (verb as unknown as { readonly args: RedisArgs<V> }).args)];
}

const handlers: ReadonlyMap<string, Run> = new Map([
  handle("redis.grant", grant),
  handle("redis.seal", (context) => seal(context)),
  handle("redis.promote", promote),
  handle("redis.follow", follow),
  handle("redis.fence", (context) => fence(context)),
  handle("redis.verify", verify),
  handle("redis.move-slots", moveSlots),
  handle("redis.cluster-failover", failOverShard),
  handle("redis.cluster-replicate", replicateShard),
]);

/** Runs verbs on the servers of one cluster beside this agent, one at a time for each server. */
export class RedisDriver {
  readonly #instances: readonly RedisInstance[];
  readonly #lanes = new Map<string, Promise<unknown>>();
  /** Servers whose move is to end after the slot in flight. */
  readonly #stopping = new Set<string>();

  constructor(instances: readonly RedisInstance[]) {
    this.#instances = instances;
  }

  async run(
    grant: Grant,
    verb: Verb,
    progress: (progress: number, data: Readonly<Record<string, string | number | boolean | null>>) => void,
  ): Promise<CommandOutcome> {
    const handler = handlers.get(verb.verb);
    if (verb.verb === "redis.stop-moving") {
      this.#stopping.add(verb.args.instance);
      return { status: "done", data: {} };
    }
    const instance = this.#find(verb as RedisVerb);
    if (handler === undefined || instance === null) {
      return { status: "refused", code: "unknown-verb", detail: `this agent can't run ${verb.verb} on that server` };
    }
    const name = instance.service.instance;
    const before = this.#lanes.get(name) ?? Promise.resolve();
    const turn = before.then(() => this.#execute(handler, instance, grant, verb as RedisVerb, progress));
    this.#lanes.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #find(verb: RedisVerb): RedisInstance | null {
    const named =
      verb.verb === "redis.move-slots"
        ? verb.args.source.instance
        : verb.verb === "redis.cluster-failover" || verb.verb === "redis.cluster-replicate"
          ? verb.args.instance
          : null;
    if (named === null) return this.#instances[0] ?? null;
    return this.#instances.find((each) => each.service.instance === named) ?? null;
  }

  async #execute(
    handler: Run,
    instance: RedisInstance,
    grant: Grant,
    verb: RedisVerb,
    progress: RedisVerbContext["progress"],
  ): Promise<CommandOutcome> {
    const name = instance.service.instance;
    if (verb.verb === "redis.move-slots") this.#stopping.delete(name);
    const context: RedisVerbContext = {
      instance,
      grant,
      stillHolds: () => stillHolds(instance.host.fence(), grant),
      shouldStop: () => this.#stopping.has(name),
      progress,
    };
    if (!context.stillHolds()) {
      return { status: "refused", code: "overtaken", detail: "a higher promise was made before this command began" };
    }
    try {
      return { status: "done", data: await instance.whileBusy(() => handler(context, verb)) };
    } catch (error) {
      return outcomeOfError(error);
    }
  }
}
