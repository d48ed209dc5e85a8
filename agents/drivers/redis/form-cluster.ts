import { poll } from "../../shared/time.ts";
import { RedisConnection } from "./link.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Makes a Redis Cluster of running servers: the first `masters` share the slots, the others follow them in turn. */
export async function formCluster(servers: readonly Address[], masters: number): Promise<void> {
  const connections = servers.map((server) => new RedisConnection({ ...server, user: null, password: null }));
  try {
    const call = <T>(index: number, ...command: [string, ...(string | number)[]]) =>
      (connections[index] as RedisConnection).call<T>(5_000, ...command);
    const first = servers[0] as Address;
    for (let index = 0; index < masters; index += 1) {
      const from = Math.round((16_384 * index) / masters);
      const to = Math.round((16_384 * (index + 1)) / masters) - 1;
      await call(index, "CLUSTER", "SET-CONFIG-EPOCH", index + 1).catch(() => undefined);
      await call(index, "CLUSTER", "ADDSLOTSRANGE", from, to);
    }
    for (let index = 1; index < servers.length; index += 1)
      await call(index, "CLUSTER", "MEET", first.host, first.port);
    const everybodyKnows = async () => {
      const known = await Promise.all(servers.map((_, index) => call<string>(index, "CLUSTER", "NODES")));
      return known.every((text) => text.trim().split("\n").length === servers.length && !text.includes("handshake"));
    };
    await waitFor("every server to know the others", everybodyKnows);
    for (let index = masters; index < servers.length; index += 1) {
      const id = await call<string>((index - masters) % masters, "CLUSTER", "MYID");
      await call(index, "CLUSTER", "REPLICATE", id);
    }
    await waitFor("the cluster's health", async () => {
      const texts = await Promise.all(servers.map((_, index) => call<string>(index, "CLUSTER", "INFO")));
      return texts.every((text) => text.includes("cluster_state:ok"));
    });
    await waitFor("replicas that follow", async () => {
      const texts = await Promise.all(
        servers.slice(masters).map((_, index) => call<string>(masters + index, "INFO", "replication")),
      );
      return texts.every((text) => text.includes("master_link_status:up"));
    });
  } finally {
    for (const connection of connections) connection.drop();
  }
}

async function waitFor(what: string, ask: () => Promise<boolean>): Promise<void> {
  const done = await poll(async () => ((await ask().catch(() => false)) ? true : null), {
    intervalMs: 100,
    deadlineMs: 30_000,
  });
  if (done === null) throw new Error(`${what} took longer than 30 s`);
}
