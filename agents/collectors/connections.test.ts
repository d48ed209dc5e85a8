import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { limits } from "../../server/protocol/limits.ts";
import { Connections } from "./connections.ts";
import type { Watched } from "./socket-owners.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process of its own; resolves with the first line that it prints. */
function run(script: string): Promise<{ readonly pid: number; readonly line: string }> {
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return new Promise((resolve) => {
    child.stdout?.once("data", (text) => resolve({ pid: child.pid as number, line: String(text).trim() }));
  });
}

const listenOn = (host: string) =>
  run(
    `const s = require("node:net").createServer(() => {}); s.on("error", () => console.log("none")); s.listen(0, "${host}", () => console.log(s.address().port));`,
  );
const connectTo = (host: string, port: string, count: number) =>
  run(
    `let n = 0; for (let i = 0; i < ${count}; i += 1) require("node:net").connect(${port}, "${host}", () => { if (++n === ${count}) console.log("up"); });`,
  );

function open(watched: readonly Watched[], aliases: ReadonlyMap<string, string> = new Map()) {
  const troubles: string[] = [];
  let dropped = 0;
  const connections = new Connections({
    watched: async () => watched,
    aliases,
    onTrouble: (message) => troubles.push(message),
    onDropped: (count) => {
      dropped += count;
    },
  });
  return { connections, troubles, dropped: () => dropped };
}

const service = (name: string, ...pids: number[]): Watched => ({ name, kind: "service", pids });

describe.runIf(process.platform === "linux")("connections on this machine", () => {
  it("lead from the process that called to where another listens; the accepted end is no call", async () => {
    const payments = await listenOn("127.0.0.1");
    const orders = await connectTo("127.0.0.1", payments.line, 3);
    const { connections, troubles } = open([service("payments", payments.pid), service("orders", orders.pid)]);
    const report = await connections.collect();
    const port = Number(payments.line);
    expect(report?.listens).toEqual([{ service: "payments", kind: "service", address: "127.0.0.1", port }]);
    expect(report?.calls).toEqual([
      { service: "orders", kind: "service", address: "127.0.0.1", port, alias: null, sockets: 3 },
    ]);
    expect(report?.scope).toMatch(/^[0-9a-f-]{36}\/\d+$/);
    expect(troubles).toEqual([]);
  });

  it("are the same over IPv4 to a server that listens on IPv6 as well", async () => {
    const any = await listenOn("::");
    // Machines without IPv6 have nothing to tell apart.
    if (any.line === "none") return;
    const orders = await connectTo("127.0.0.1", any.line, 1);
    const aliases = new Map([[`127.0.0.1:${any.line}`, "shop-db"]]);
    const report = await open([service("db", any.pid), service("orders", orders.pid)], aliases).connections.collect();
    expect(report?.listens).toMatchObject([{ service: "db", address: "*", port: Number(any.line) }]);
    expect(report?.calls).toMatchObject([{ service: "orders", address: "127.0.0.1", alias: "shop-db" }]);
  });

  it("of processes that nobody watches are not told, and nothing is when nobody is watched", async () => {
    const payments = await listenOn("127.0.0.1");
    await connectTo("127.0.0.1", payments.line, 1);
    expect(await open([service("payments", payments.pid)]).connections.collect()).toMatchObject({ calls: [] });
    expect(await open([service("payments")]).connections.collect()).toBeNull();
  });

  it("are found that come later, and of processes that are known later", async () => {
    const payments = await listenOn("127.0.0.1");
    const first = await connectTo("127.0.0.1", payments.line, 1);
    const watched = [service("payments", payments.pid)];
    const { connections } = open(watched);
    expect(await connections.collect()).toMatchObject({ calls: [] });
    watched.push(service("orders", first.pid));
    // A look is followed by a rest.
    const calls = async () => (await connections.collect())?.calls;
    await expect.poll(calls).toMatchObject([{ service: "orders", sockets: 1 }]);
    const second = await connectTo("127.0.0.1", payments.line, 2);
    watched[1] = service("orders", first.pid, second.pid);
    await expect.poll(calls).toMatchObject([{ service: "orders", sockets: 3 }]);
  });

  it("are bounded, the widest first, and what is left out is counted", async () => {
    const servers = await Promise.all(Array.from({ length: limits.maxConnectionsPerFrame + 5 }, () => listen()));
    const ports = servers.map((server) => (server.address() as { port: number }).port);
    const many = await run(
      `const ports = ${JSON.stringify([...ports, ports.at(-1)])}; let n = 0; for (const p of ports) require("node:net").connect(p, "127.0.0.1", () => { if (++n === ports.length) console.log("up"); });`,
    );
    const { connections, dropped } = open([service("fan", many.pid)]);
    const report = await connections.collect();
    expect(report?.calls.length).toBe(limits.maxConnectionsPerFrame);
    expect(report?.calls[0]).toMatchObject({ port: ports.at(-1), sockets: 2 });
    expect(dropped()).toBe(5);
    for (const server of servers) server.close();
  });

  it.runIf(process.getuid?.() === 0)("are told once to be out of sight where the agent may not look", async () => {
    const payments = await listenOn("127.0.0.1");
    const watched = [service("payments", payments.pid)];
    const { connections, troubles } = open(watched);
    process.seteuid?.(65_534);
    try {
      for (let i = 0; i < 3; i += 1) {
        expect(await connections.collect()).toMatchObject({ listens: [], calls: [] });
        // Processes come and go: each time it is looked for anew.
        watched.push(service(`gone-${i}`));
      }
    } finally {
      process.seteuid?.(0);
    }
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain("CAP_SYS_PTRACE");
  });
});

function listen(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(() => undefined);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
