import { poll } from "../../../shared/time.ts";
import { Failure } from "../../postgres/verbs/context.ts";
import { linkOf, parseInfo, roleOf } from "../info.ts";
import type { RedisArgs, RedisVerbContext } from "./context.ts";

const takenWithinMs = 10_000;
const followedWithinMs = 10_000;

/** `CLUSTER FAILOVER`: graceful stops the master's writes for a moment and loses nothing; the others are for a master that is gone. */
export async function failOverShard(
  { instance }: RedisVerbContext,
  { mode }: RedisArgs<"redis.cluster-failover">,
): Promise<Record<string, unknown>> {
  await instance.call("CLUSTER", "FAILOVER", ...(mode === "graceful" ? [] : [mode.toUpperCase()]));
  const taken = await poll(
    async () => (roleOf(parseInfo(String(await instance.call("INFO", "replication")))) === "master" ? true : null),
    { intervalMs: 20, deadlineMs: takenWithinMs },
  );
  instance.monitor.wake();
  if (taken === null)
    throw new Failure("not-taken", `still a replica ${takenWithinMs} ms after it was told to take over`);
  return {};
}

/** `CLUSTER REPLICATE`. Redis refuses a master that has slots or keys, so nothing can be thrown away by it. */
export async function replicateShard(
  { instance }: RedisVerbContext,
  { master }: RedisArgs<"redis.cluster-replicate">,
): Promise<Record<string, unknown>> {
  await instance.call("CLUSTER", "REPLICATE", master);
  const linked = await poll(
    async () => {
      const link = linkOf(parseInfo(String(await instance.call("INFO", "replication"))));
      return link?.status === "up" ? true : null;
    },
    { intervalMs: 50, deadlineMs: followedWithinMs },
  );
  instance.monitor.wake();
  if (linked === null)
    throw new Failure("not-linked", `no data from its master ${followedWithinMs} ms after it was told`);
  return {};
}
