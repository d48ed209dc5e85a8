import { poll } from "../../../shared/time.ts";
import { Failure } from "../../postgres/verbs/context.ts";
import { parseInfo, roleOf } from "../info.ts";
import type { RedisArgs, RedisVerbContext } from "./context.ts";

const takenWithinMs = 10_000;

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
