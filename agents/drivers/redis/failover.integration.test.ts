import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { wantedReplicas } from "../../../server/core/redis/grant.ts";
import { learnHistory, readHistory } from "../../../server/core/redis/history.ts";
import { type RedisServer, readServers } from "../../../server/core/redis/servers.ts";
import { poll } from "../../shared/time.ts";
import { makeRedisFolder, RedisServers, withoutRedis } from "./testing/redis-servers.ts";
import { PlayedReplicaSet } from "./testing/replica-set.ts";

const title = withoutRedis === null ? "failover of a real replica set" : `left out: ${withoutRedis}`;

describe.skipIf(withoutRedis !== null)(title, { timeout: 60_000 }, () => {
  let servers: RedisServers;
  let set: PlayedReplicaSet;

  beforeEach(async () => {
    servers = new RedisServers(await makeRedisFolder());
    set = new PlayedReplicaSet();
    for (const name of ["a", "b", "c"]) await set.add(servers, name);
  });

  afterEach(async () => {
    await set.close();
    await servers.stop();
  });

  const follow = (name: string, master: string) =>
    set.process(name).connection.call(1_000, "REPLICAOF", "127.0.0.1", set.process(master).port);

  /** Master a with the replicas named, which have finished their synchronization; the record says so. */
  async function begin(replicas: readonly string[]): Promise<void> {
    for (const name of replicas) {
      await follow(name, "a");
      await set.sees(name, ({ link, offset }) => link?.status === "up" && offset !== null);
    }
    await set.process("a").connection.call(1_000, "SET", "before", "1");
    await set.process("a").connection.call(2_000, "WAIT", replicas.length, 1_000);
    const [offset] = [await offsetOf("a")];
    for (const name of replicas) await set.sees(name, (status) => (status.offset ?? 0) >= offset);
    await set.sees("a", (status) => status.role === "master" && (status.offset ?? 0) >= offset);
    set.report();
    const members = Object.fromEntries(
      Object.entries(set.record.members).map(([id, member]) => [id, { ...member, standing: "member" as const }]),
    );
    set.patch({ members, epoch: 1, highestEpoch: 1, grantId: "first", primary: "a", k: 1, kInForce: 1 });
    learnHistory(set.draft, set.record.id, readHistory(statusOf("a")));
  }

  function statusOf(name: string) {
    const status = set.draft.state.live.nodes.get(name)?.redis[0];
    if (status === undefined) throw new Error(`${name} said nothing`);
    return status;
  }

  function serverOf(name: string): RedisServer {
    const found = readServers(set.draft.state, set.record, set.draft.now).find(({ member }) => member.id === name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  }

  async function offsetOf(name: string): Promise<number> {
    const text = String(await set.process(name).connection.call(1_000, "INFO", "replication"));
    return Number(/master_repl_offset:(\d+)/.exec(text)?.[1]);
  }

  it("an old master that has not been resynchronized does not win, however much it wrote alone", async () => {
    await begin(["b", "c"]);
    set.report("a");
    expect((await set.failOver()).phase).toBe("done");
    // Which one it is, is up to a ping of the old master between the two seals.
    const second = set.record.primary === "b" ? "b" : "c";
    const third = second === "b" ? "c" : "b";
    expect(set.record.primary).toBe(second);
    await set.process(second).connection.call(1_000, "SET", "confirmed", "1");
    expect(Number(await set.process(second).connection.call(2_000, "WAIT", 1, 1_000))).toBe(1);
    // Cut off, the old master went on writing. It is told to follow, and the new master dies before it could.
    for (let index = 0; index < 50; index += 1)
      await set.process("a").connection.call(1_000, "SET", `alone:${index}`, "x".repeat(1_000));
    set.process(second).child.kill("SIGKILL");
    await follow("a", second);
    await set.sees("a", ({ role, offset }) => role === "replica" && offset !== null);
    await set.sees(third, ({ link }) => link?.status === "down");
    const members = { ...set.record.members, a: { ...set.record.members.a, standing: "member" } };
    set.patch({ members: members as typeof set.record.members });
    set.report(second);
    expect(statusOf("a").offset ?? 0).toBeGreaterThan(statusOf(third).offset ?? 0);
    const action = await set.failOver();
    expect(action.candidates.find(({ node }) => node === "a")?.reason.code).toBe("other-history");
    expect(set.record.primary).toBe(third);
    expect(await set.process(third).connection.call(1_000, "GET", "confirmed")).toBe("1");
    // It has everything to copy yet, so nobody can confirm a write now, and that is said.
    expect(set.record.kInForce).toBe(0);
  });

  it("a replica that has never finished a synchronization is not promoted, and does not stand for its data", async () => {
    await begin(["b"]);
    // The master is gone when it comes: it follows, and has nothing.
    set.process("a").child.kill("SIGKILL");
    await follow("c", "a");
    await set.sees("c", ({ role, link }) => role === "replica" && link?.status === "down");
    await set.sees("b", ({ link }) => link?.status === "down");
    set.report("a");
    expect(statusOf("c").offset).toBeNull();
    const action = await set.failOver("c");
    expect(action.sealed.map(({ node }) => node)).toEqual(["b"]);
    // With one confirming replica either may hold the only copy: one place is unknown, so nobody is promoted.
    expect(action).toMatchObject({
      promoteSent: false,
      failure: { code: "no-quorum", data: { sealed: 1, needed: 2 } },
    });
    expect(set.record.primary).toBe("a");
  });

  it("with two confirming replicas the other one has everything, and takes over", async () => {
    await begin(["b"]);
    set.process("a").child.kill("SIGKILL");
    await follow("c", "a");
    await set.sees("c", ({ role, link }) => role === "replica" && link?.status === "down");
    set.patch({ k: 2, kInForce: 2 });
    set.report("a");
    const action = await set.failOver("c");
    expect(action.candidates.find(({ chosen }) => chosen)?.node).toBe("b");
    expect(set.record.primary).toBe("b");
    expect(await set.process("b").connection.call(1_000, "GET", "before")).toBe("1");
  });

  it("a sealing without a quorum gives the old master its writes back", async () => {
    await begin(["b"]);
    // c follows somebody who is not there: it can be sealed, and has no place in the history.
    await set.process("c").connection.call(1_000, "REPLICAOF", "127.0.0.1", 1);
    await set.sees("c", ({ role }) => role === "replica");
    set.report();
    const action = await set.failOver();
    expect(action).toMatchObject({ phase: "compensated", failure: { code: "regranted" }, promoteSent: false });
    expect(action.steps.map(({ kind, node }) => `${kind} ${node}`)).toContain("fence a");
    expect(set.record).toMatchObject({ primary: "a", epoch: 3 });
    const a = set.process("a").connection;
    expect(await a.call(1_000, "CONFIG", "GET", "min-replicas-to-write")).toEqual(["min-replicas-to-write", "1"]);
    // As many as before have to confirm: it takes writes as soon as one of them follows again.
    await expect(a.call(1_000, "SET", "after", "1")).rejects.toThrow(/NOREPLICAS/);
    await follow("b", "a");
    await set.sees("b", ({ link }) => link?.status === "up");
    const taken = await poll(async () => a.call(1_000, "SET", "after", "1").catch(() => null), {
      intervalMs: 50,
      deadlineMs: 5_000,
    });
    expect(taken).toBe("OK");
  });

  it("a replica that still synchronizes is not waited for by any write", async () => {
    await begin(["b"]);
    const wanted = () => wantedReplicas(set.record, serverOf("a"));
    const asked = { k: 2, kInForce: 1 };
    const members = { ...set.record.members, c: { ...set.record.members.c, standing: "member" } };
    set.patch({ ...asked, members: members as typeof set.record.members });
    await set.process("a").connection.call(1_000, "CONFIG", "SET", "repl-diskless-sync-delay", 2);
    await follow("c", "a");
    await set.sees("a", ({ replicas }) => replicas.some(({ online }) => !online));
    set.report();
    expect(wanted()).toBe(1);
    await set.sees(
      "a",
      ({ replicas }) => replicas.length === 2 && replicas.every((row) => row.online && row.offset > 0),
    );
    set.report();
    expect(wanted()).toBe(2);
  });
});
