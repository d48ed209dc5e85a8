import type { RedisSealReply, SyncConfiguration } from "../../../../server/core/index.ts";
import { messageOf, monotonicMs, poll } from "../../../shared/time.ts";
import { Failure } from "../../postgres/verbs/context.ts";
import { historyOf, linkOf, offsetOf, parseInfo, roleOf } from "../info.ts";
import type { RedisInstance } from "../instance.ts";
import { nobody } from "../settings.ts";
import type { RedisArgs, RedisVerbContext } from "./context.ts";

const answerDeadlineMs = 500;
const killAfterMs = 600;
/** Where `verify` writes. In every database of a replica set, one small key. */
export const verifyKey = "holdfast:verify";

/** The server runs and answers; starts it when it is ours to start. */
async function ensureRunning(instance: RedisInstance): Promise<void> {
  const { supervisor } = instance;
  if (supervisor !== null && !(await supervisor.attach())) await instance.start();
}

export async function grant(
  { instance, stillHolds }: RedisVerbContext,
  { configuration }: RedisArgs<"redis.grant">,
): Promise<Record<string, unknown>> {
  await ensureRunning(instance);
  if (!stillHolds()) throw new Failure("overtaken", "a higher promise was made while this command ran");
  await beMaster(instance, configuration);
  instance.release();
  return {};
}

export async function promote(
  { instance, stillHolds }: RedisVerbContext,
  { configuration }: RedisArgs<"redis.promote">,
): Promise<Record<string, unknown>> {
  const startedAt = monotonicMs();
  await ensureRunning(instance);
  if (!stillHolds()) throw new Failure("overtaken", "a higher promise was made while this command ran");
  await beMaster(instance, configuration);
  const info = parseInfo(String(await instance.call("INFO", "replication")));
  if (roleOf(info) !== "master") throw new Failure("not-master", "the server still calls itself a replica");
  instance.release();
  return {
    offset: offsetOf(info),
    ...historyOf(info),
    ms: Math.round(monotonicMs() - startedAt),
  };
}

/** `min-replicas-to-write` first: not one write is taken by a master that nobody follows. */
async function beMaster(instance: RedisInstance, configuration: SyncConfiguration): Promise<void> {
  const k = configuration.k;
  await instance.connection.all(2_000, [
    ["CONFIG", "SET", "min-replicas-to-write", k],
    ["REPLICAOF", "NO", "ONE"],
  ]);
  instance.monitor.wake();
}

/**
 * A replica that follows an address where nobody answers takes nothing from the old master, acknowledges nothing to it, and stays read-only. What
 * it had received and not applied is dropped with the link, and was never acknowledged either.
 */
export async function seal({ instance }: RedisVerbContext): Promise<Record<string, unknown>> {
  await ensureRunning(instance);
  const before = parseInfo(String(await instance.connection.call(answerDeadlineMs, "INFO", "replication")));
  if (roleOf(before) === "master") {
    await instance.call("REPLICAOF", nobody.host, nobody.port);
    return { ...historyOf(before), offset: offsetOf(before), promoted: true };
  }
  const [, text] = await instance.connection.all(answerDeadlineMs, [
    ["REPLICAOF", nobody.host, nobody.port],
    ["INFO", "replication"],
  ]);
  instance.monitor.wake();
  const info = parseInfo(String(text));
  const reply: RedisSealReply = {
    ...historyOf(info),
    offset: offsetOf(info),
    promoted: false,
  };
  return { ...reply };
}

/** Takes no writes any more. A server that does not answer is killed: a stopped process would go on where it was. */
export async function fence({ instance }: RedisVerbContext): Promise<Record<string, unknown>> {
  const { supervisor } = instance;
  if (supervisor !== null && !(await supervisor.attach())) return { killed: false, down: true };
  const answered = await Promise.resolve(
    instance.connection.call(killAfterMs, "REPLICAOF", nobody.host, nobody.port),
  ).then(
    () => true,
    (error: unknown) => {
      instance.host.log("warn", "the server does not take its fence", { error: messageOf(error) });
      return false;
    },
  );
  instance.release();
  if (answered) {
    instance.monitor.wake();
    return { killed: false, down: false };
  }
  if (supervisor === null) throw new Failure("no-answer", "the server does not answer and the agent may not end it");
  await supervisor.kill();
  return { killed: true, down: true };
}

/** Follows the master. What the own history has beyond the point where the new one left it is given up, and counted. */
export async function follow(
  { instance, stillHolds }: RedisVerbContext,
  { primary }: RedisArgs<"redis.follow">,
): Promise<Record<string, unknown>> {
  await ensureRunning(instance);
  if (!stillHolds()) throw new Failure("overtaken", "a higher promise was made while this command ran");
  const before = parseInfo(String(await instance.call("INFO", "replication")));
  await instance.connection.all(2_000, [
    ["REPLICAOF", primary.host, primary.port],
    ["CONFIG", "SET", "min-replicas-to-write", 0],
  ]);
  instance.release();
  instance.monitor.wake();
  return {
    before: roleOf(before),
    offset: offsetOf(before),
    replicationId: before.get("master_replid") ?? null,
    from: linkOf(before)?.host ?? null,
  };
}

/** Writes, and waits until `k` replicas confirmed: only then is the failover more than a role on paper. */
export async function verify(
  { instance }: RedisVerbContext,
  { deadlineMs, k }: RedisArgs<"redis.verify">,
): Promise<Record<string, unknown>> {
  const startedAt = monotonicMs();
  let last = "no write was taken";
  const confirmed = await poll(
    async () => {
      try {
        const [, count] = await instance.connection.all(deadlineMs, [
          ["SET", verifyKey, `${Date.now()}`],
          ["WAIT", k, 500],
        ]);
        last = `${count} of ${k} replicas confirmed a write`;
        return Number(count) >= k ? true : null;
      } catch (error) {
        last = messageOf(error);
        return null;
      }
    },
    { intervalMs: 20, deadlineMs },
  );
  if (confirmed === null) throw new Failure("not-confirmed", `${last} within ${deadlineMs} ms`);
  return { ms: Math.round(monotonicMs() - startedAt) };
}
