import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import type { Grant, RedisNode } from "../../../server/core/index.ts";
import type { FenceRecord } from "../../fence/promise.ts";
import { RedisInstance } from "./instance.ts";
import { makeRedisFolder, type RedisProcess, RedisServers, withoutRedis } from "./testing/redis-servers.ts";
import { replicateShard } from "./verbs/cluster.ts";
import type { RedisVerbContext } from "./verbs/context.ts";
import { moveSlots } from "./verbs/move-slots.ts";

const title = withoutRedis === null ? "moving slots of a real Redis Cluster" : `left out: ${withoutRedis}`;
const grant: Grant = { epoch: 1, intentId: "test", step: 1, configVersion: 0 };

describe.skipIf(withoutRedis !== null)(title, { timeout: 60_000 }, () => {
  let servers: RedisServers | null = null;
  const instances: RedisInstance[] = [];

  afterEach(async () => {
    for (const instance of instances.splice(0)) await instance.close();
    await servers?.stop();
  });

  async function startCluster(): Promise<{ all: RedisProcess[]; nodes: RedisNode[] }> {
    servers = new RedisServers(await makeRedisFolder());
    const all = await servers.startCluster(2, 1);
    const nodes = await Promise.all(
      all.map(async ({ port, connection }) => ({
        instance: `r-${port}`,
        id: await connection.call<string>(1_000, "CLUSTER", "MYID"),
        host: "127.0.0.1",
        port,
      })),
    );
    return { all, nodes };
  }

  function contextOf(node: RedisNode, shouldStop: () => boolean = () => false): RedisVerbContext {
    const fence = {
      promise: grant,
      configurations: [],
      promoteIssuedEpoch: null,
      standing: { kind: "none" },
    } as FenceRecord;
    const instance = new RedisInstance(
      {
        node: "r",
        cluster: "c",
        instance: node.instance,
        mode: "cluster",
        host: node.host,
        port: node.port,
        advertise: node,
        user: null,
        password: null,
        managed: null,
        stateDir: "/nowhere",
        stopWithAgent: false,
      },
      {
        log: () => undefined,
        fence: () => fence,
        changed: () => undefined,
        connected: () => true,
        signal: () => undefined,
      },
    );
    instances.push(instance);
    return { instance, grant, stillHolds: () => true, shouldStop, progress: () => undefined };
  }

  function move(
    nodes: readonly RedisNode[],
    slots: [number, number][],
    shouldStop?: () => boolean,
    maxSlotsPerSecond: number | null = null,
    keep: { keep?: "source" | "target" } = {},
  ) {
    const [source, target] = nodes as [RedisNode, RedisNode];
    const args = { source, target, others: [], slots, batchKeys: 100, maxSlotsPerSecond, ...keep };
    return moveSlots(contextOf(source, shouldStop), args);
  }

  it("loses no key, doubles none and disturbs no client", async () => {
    const { all, nodes } = await startCluster();
    const client = new Cluster([{ host: "127.0.0.1", port: all[0]?.port ?? 0 }]);
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    const counters = new Map<string, number>();
    for (let index = 0; index < 1_000; index += 1) {
      await client.set(`key:${index}`, "0");
      counters.set(`key:${index}`, 0);
    }
    let going = true;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let turn = 0; going; turn += 1) {
        const key = `key:${(turn * 4 + writer) % 1_000}`;
        await client.incr(key).then(
          (value) => counters.set(key, value),
          (error: unknown) => errors.push(error),
        );
      }
    });
    const reply = await move(nodes, [[0, 999]]);
    // Once more: everything is where it should be, and nothing minds.
    const again = await move(nodes, [[0, 99]]);
    going = false;
    await Promise.all(writers);
    expect(errors).toEqual([]);
    expect(reply).toMatchObject({ slots: 1_000, replaced: 0, stopped: false });
    expect(again).toMatchObject({ slots: 100, keys: 0 });
    for (const [key, value] of counters) expect(Number(await client.get(key)), key).toBe(value);
    const sizes = await Promise.all(all.slice(0, 2).map(({ connection }) => connection.call<number>(1_000, "DBSIZE")));
    expect(sizes.reduce((sum, size) => sum + Number(size), 0)).toBe(1_000);
    client.disconnect();
  });

  it("keeps to the limit it is given, and can be ended soon meanwhile", async () => {
    const { nodes } = await startCluster();
    const reply = await move(nodes, [[0, 39]], undefined, 40);
    expect(reply).toMatchObject({ slots: 40, stopped: false });
    expect(reply.ms).toBeGreaterThanOrEqual(990);
    let asked = 0;
    expect(await move(nodes, [[40, 500]], () => asked++ > 1, 40)).toMatchObject({ slots: 20, stopped: true });
  });

  it("goes on when the target knows no owner of what it imports, as after the death of the giving master", async () => {
    const { all, nodes } = await startCluster();
    const [source, target] = all as [RedisProcess, RedisProcess];
    await source.connection.call(1_000, "SET", "{06S}kept", "1");
    for (const slot of [0, 1]) {
      await target.connection.call(1_000, "CLUSTER", "SETSLOT", slot, "IMPORTING", nodes[0]?.id ?? "");
      await target.connection.call(1_000, "CLUSTER", "DELSLOTS", slot);
    }
    expect(await target.connection.call<string>(1_000, "CLUSTER", "INFO")).toContain("cluster_slots_assigned:16382");
    expect(await move(nodes, [[0, 9]])).toMatchObject({ slots: 10, keys: 1, stopped: false });
    expect(await target.connection.call<string>(1_000, "CLUSTER", "INFO")).toContain("cluster_slots_assigned:16384");
    expect(await target.connection.call(1_000, "GET", "{06S}kept")).toBe("1");
  });

  it("goes on in the middle of a slot that was left open, and ends after the slot in flight", async () => {
    const { all, nodes } = await startCluster();
    const [source, target] = all as [RedisProcess, RedisProcess];
    await source.connection.call(1_000, "CLUSTER", "SETSLOT", 0, "MIGRATING", nodes[1]?.id ?? "");
    await target.connection.call(1_000, "CLUSTER", "SETSLOT", 0, "IMPORTING", nodes[0]?.id ?? "");
    let asked = 0;
    const reply = await move(nodes, [[0, 500]], () => asked++ > 2);
    expect(reply).toMatchObject({ slots: 96, stopped: true });
    const text = await target.connection.call<string>(1_000, "CLUSTER", "NODES");
    expect(text).not.toContain("[0-<-");
    expect(/myself.* 0-95 /.test(text)).toBe(true);
  });

  describe("a key on both sides", () => {
    /** {06S}key lies in slot 0, which the target imports from a source that died: `values` are what the successor and the target hold. */
    async function openHalf(
      { early, late }: { early: "source" | "target"; late: "source" | "target" },
      pauseMs: number,
    ) {
      const { all, nodes } = await startCluster();
      const [source, target] = all as [RedisProcess, RedisProcess];
      const write = async (side: "source" | "target") => {
        const { connection } = side === "source" ? source : target;
        await connection.all(1_000, [
          ["ASKING"],
          ["SET", "{06S}key", `of the ${side}`],
          ["ASKING"],
          ["SET", "{06S}same", "1"],
        ]);
      };
      await target.connection.call(1_000, "CLUSTER", "SETSLOT", 0, "IMPORTING", nodes[0]?.id ?? "");
      // Ages are told from the start on; what was loaded then tells nothing.
      await sleep(2_500);
      await write(early);
      await sleep(pauseMs);
      await write(late);
      await sleep(2_200);
      const read = () => target.connection.call<string>(1_000, "GET", "{06S}key");
      return { nodes, source, target, read };
    }

    it("stays as it was served last: on the target, before the successor could hear that it had gone there", async () => {
      const { nodes, source, read } = await openHalf({ early: "source", late: "target" }, 2_500);
      expect(await move(nodes, [[0, 3]])).toMatchObject({ slots: 4, stopped: false });
      expect(await read()).toBe("of the target");
      expect(Number(await source.connection.call(1_000, "DBSIZE"))).toBe(0);
    });

    it("stays as it was served last: by the successor since", async () => {
      const { nodes, read } = await openHalf({ early: "target", late: "source" }, 2_500);
      expect(await move(nodes, [[0, 3]])).toMatchObject({ slots: 4 });
      expect(await read()).toBe("of the source");
    });

    it("ends the move where nobody can see which is the later one, with nothing changed, until a person says", async () => {
      const { nodes, source, target, read } = await openHalf({ early: "source", late: "target" }, 0);
      await expect(move(nodes, [[0, 3]])).rejects.toMatchObject({ code: "key-conflict" });
      // Once more: the slot must not look as if this source had had it open.
      await expect(move(nodes, [[0, 3]])).rejects.toMatchObject({ code: "key-conflict" });
      expect(await source.connection.call(1_000, "GET", "{06S}key")).toBe("of the source");
      const [, there] = await target.connection.all(1_000, [["ASKING"], ["GET", "{06S}key"]]);
      expect(there).toBe("of the target");
      expect(await move(nodes, [[0, 3]], undefined, null, { keep: "target" })).toMatchObject({ slots: 4 });
      expect(await read()).toBe("of the target");
    });

    it("is the source's when this source had the slot open: it served the key as long as it had it", async () => {
      const { nodes, source, read } = await openHalf({ early: "source", late: "target" }, 0);
      await source.connection.call(1_000, "CLUSTER", "SETSLOT", 0, "MIGRATING", nodes[1]?.id ?? "");
      expect(await move(nodes, [[0, 3]])).toMatchObject({ slots: 4, replaced: 2 });
      expect(await read()).toBe("of the source");
    });
  });

  it("makes an empty master a replica, and refuses one that has slots", async () => {
    const { all, nodes } = await startCluster();
    const [source, target] = nodes as [RedisNode, RedisNode];
    // Else Redis would do it by itself here: all of its slots go to one server.
    await all[0]?.connection.call(1_000, "CONFIG", "SET", "cluster-allow-replica-migration", "no");
    const follow = (node: RedisNode, master: RedisNode) =>
      replicateShard(contextOf(node), { instance: node.instance, master: master.id });
    await expect(follow(source, target)).rejects.toThrow(/must be empty/);
    await move(nodes, [[0, 8_191]]);
    await follow(source, target);
    expect(String(await all[0]?.connection.call(1_000, "ROLE"))).toContain(`slave,127.0.0.1,${target.port},connected`);
  });
});
