import { beforeEach, describe, expect, it } from "vitest";
import type { ConnectionReport } from "../../protocol/index.ts";
import { type ClusterMember, ConnectionRecords, connectionsKeptMs } from "./connection-records.ts";

let records: ConnectionRecords;
beforeEach(() => {
  records = new ConnectionRecords();
});

const listen = (service: string, port: number, address = "*", kind = "service" as const) => ({
  service,
  kind,
  address,
  port,
});
const call = (service: string, address: string, port: number, alias: string | null = null) => ({
  service,
  kind: "service" as const,
  address,
  port,
  alias,
  sockets: 1,
});

function take(node: string, over: Partial<ConnectionReport>, atMs = 0): number {
  return records.take(node, { scope: node, addresses: [], listens: [], calls: [], ...over }, atMs);
}

const found = (members: readonly ClusterMember[] = []) =>
  records.resolve(members).map(({ from, to }) => `${from} → ${"node" in to ? `node ${to.node}` : to.service}`);

describe("a connection", () => {
  it("leads to the service that listens at that address of its node", () => {
    take("app-1", {
      addresses: ["10.0.0.1"],
      calls: [call("orders", "10.0.0.2", 80), call("orders", "2001:db8::2", 81)],
    });
    take("app-2", {
      addresses: ["10.0.0.2", "2001:db8::2"],
      listens: [listen("payments", 80, "10.0.0.2"), listen("ledger", 81), listen("other", 82)],
    });
    expect(found()).toEqual(["orders → payments", "orders → ledger"]);
  });

  it("over loopback leads only to who listens within the same kernel and network namespace", () => {
    take("app-1", { scope: "host-1", calls: [call("orders", "127.0.0.1", 80), call("orders", "::1", 81)] });
    take("app-2", { scope: "host-2", listens: [listen("stranger", 80, "127.0.0.1"), listen("stranger", 81)] });
    expect(found()).toEqual([]);
    take("app-3", { scope: "host-1", listens: [listen("payments", 80, "127.0.0.1"), listen("ledger", 81)] });
    expect(found()).toEqual(["orders → payments", "orders → ledger"]);
  });

  it("does not lead to a service that listens on another address", () => {
    take("app-1", { scope: "h", calls: [call("orders", "127.0.1.1", 80)] });
    take("app-2", { scope: "h", addresses: ["10.0.0.2"], listens: [listen("payments", 80, "127.0.1.2")] });
    expect(found()).toEqual([]);
  });

  it("that could lead to two services leads to none, and one to two copies of a service leads there", () => {
    take("app-1", { calls: [call("orders", "10.0.0.9", 80), call("orders", "10.0.0.9", 81)] });
    take("app-2", { addresses: ["10.0.0.9"], listens: [listen("payments", 80), listen("web", 81)] });
    take("app-3", { addresses: ["10.0.0.9"], listens: [listen("ledger", 80), listen("web", 81)] });
    expect(found()).toEqual(["orders → web"]);
  });

  it("to an address that every machine has leads to the caller's own", () => {
    take("app-1", { scope: "a", addresses: ["172.17.0.1"], calls: [call("orders", "172.17.0.1", 80)] });
    take("app-2", { scope: "a", addresses: ["172.17.0.1"], listens: [listen("payments", 80)] });
    take("app-3", { scope: "b", addresses: ["172.17.0.1"], listens: [listen("stranger", 80)] });
    expect(found()).toEqual(["orders → payments"]);
  });

  it("leads to who has the port now, and to who had it while nobody has", () => {
    take("app-1", { scope: "h", calls: [call("orders", "127.0.0.1", 80)] });
    take("app-2", { scope: "h", listens: [listen("old", 80)] }, 1_000);
    take("app-2", { scope: "h", listens: [] }, 2_000);
    expect(found()).toEqual(["orders → old"]);
    take("app-2", { scope: "h", listens: [listen("new", 80)] }, 3_000);
    expect(found()).toEqual(["orders → new"]);
  });

  it("leads to a member of a cluster by where the member says that it is reached", () => {
    const member = (cluster: string, node: string, host: string, port: number): ClusterMember => ({
      cluster,
      kind: "database",
      node,
      host,
      port,
    });
    const members = [
      member("shop", "pg-a", "10.0.0.5", 5432),
      member("shop", "pg-b", "db-2.example", 5432),
      member("near", "pg-c", "127.0.0.1", 6000),
      member("far", "pg-d", "127.0.0.1", 6001),
      member("one", "pg-e", "10.0.0.7", 7000),
      member("two", "pg-f", "10.0.0.7", 7000),
    ];
    const to = (address: string, port: number) => call("orders", address, port);
    take("app-1", {
      scope: "h",
      calls: [
        to("10.0.0.5", 5432),
        to("10.0.0.6", 5432),
        to("127.0.0.1", 6000),
        to("127.0.0.1", 6001),
        to("10.0.0.7", 7000),
        to("10.0.0.5", 5433),
      ],
    });
    take("pg-b", { addresses: ["10.0.0.6"] });
    take("pg-c", { scope: "h" });
    expect(found(members)).toEqual([
      "orders → postgresql/shop",
      "orders → postgresql/shop",
      "orders → postgresql/near",
    ]);
    expect(records.resolve(members)[0]?.to).toEqual({ service: "postgresql/shop", kind: "database" });
  });

  it("leads to a node when nothing known listens there, unless it is the caller's own or its address is another's too", () => {
    take("app-1", {
      addresses: ["10.0.0.1"],
      calls: ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((to) => call("orders", to, 9)),
    });
    take("app-2", { addresses: ["10.0.0.2", "10.0.0.3"] });
    take("app-3", { addresses: ["10.0.0.3"] });
    expect(found()).toEqual(["orders → node app-2"]);
  });

  it("leads where the node's configuration says", () => {
    take("app-1", { calls: [call("orders", "10.9.9.9", 5432, "postgresql/shop")] });
    expect(found()).toEqual(["orders → postgresql/shop"]);
  });

  it("is forgotten ten minutes after it was last seen, and so is what a node said last", () => {
    take("app-1", { scope: "h", calls: [call("orders", "127.0.0.1", 80)], listens: [listen("payments", 80)] }, 0);
    take("app-1", { scope: "h", listens: [listen("payments", 80)] }, 60_000);
    records.forgetOld(connectionsKeptMs);
    expect(found()).toEqual(["orders → payments"]);
    records.forgetOld(connectionsKeptMs + 1);
    expect(found()).toEqual([]);
    take("app-1", { scope: "h", calls: [call("orders", "127.0.0.1", 80)] }, 120_000);
    records.forgetOld(120_000 + connectionsKeptMs + 1);
    expect(found()).toEqual([]);
  });

  it("is one of so many, and the others are counted", () => {
    const many = (from: number) => Array.from({ length: 250 }, (_, i) => call(`s${from + i}`, "10.0.0.2", 80));
    let beyond = 0;
    for (let node = 0; node < 100; node += 1) beyond += take(`app-${node}`, { calls: many(node * 250) });
    expect(beyond).toBe(25_000 - 20_000);
    // What is known is not left out for what is new.
    expect(take("app-0", { calls: many(0) }, 1)).toBe(0);
    // What is old goes first.
    expect(take("app-99", { calls: many(0) }, connectionsKeptMs + 1)).toBe(0);
  });
});
