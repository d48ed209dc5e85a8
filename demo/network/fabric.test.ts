import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Fabric, type FabricLink } from "./fabric.ts";

const base = 23900;
const opened: { close(): unknown }[] = [];

async function startEcho(port: number): Promise<void> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}

function link(name: string, kind: FabricLink["kind"], listenPort: number, targetPort: number): FabricLink {
  const host = "127.0.0.1";
  return { name, kind, from: "app", to: "a", listen: { host, port: listenPort }, target: { host, port: targetPort } };
}

/** What happens to a connection within `withinMs`: its answer, the error code, or `silence`. */
function ask(socket: net.Socket, text: string, withinMs = 300): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve("silence"), withinMs);
    const settle = (what: string) => {
      clearTimeout(timer);
      resolve(what);
    };
    socket.once("data", (chunk) => settle(chunk.toString()));
    socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code ?? "error"));
    socket.once("close", () => settle("closed"));
    socket.write(text);
  });
}

function dial(port: number, withinMs = 300): Promise<{ socket: net.Socket; outcome: string }> {
  const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
  opened.push({ close: () => socket.destroy() });
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ socket, outcome: "unanswered" }), withinMs);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve({ socket, outcome: "connected" });
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve({ socket, outcome: error.code ?? "error" });
    });
  });
}

async function startFabric(links: readonly FabricLink[]): Promise<Fabric> {
  const fabric = new Fabric();
  opened.push(fabric);
  for (const each of links) await fabric.add(each);
  return fabric;
}

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

describe("the demo's network", () => {
  it("copies bytes both ways, and passes on the end of a connection", async () => {
    await startEcho(base);
    await startFabric([link("l", "cluster", base + 1, base)]);
    const { socket } = await dial(base + 1);
    expect(await ask(socket, "hello")).toBe("hello");
    socket.end();
    await new Promise((resolve) => socket.once("close", resolve));
  });

  it("cuts without FIN or RST: what is open goes silent, what is new is not answered; healing brings both back", async () => {
    await startEcho(base);
    const fabric = await startFabric([link("l", "cluster", base + 1, base)]);
    const { socket } = await dial(base + 1);
    expect(await ask(socket, "1")).toBe("1");
    await fabric.cut("a");
    expect(await ask(socket, "2")).toBe("silence");
    expect(socket.destroyed).toBe(false);
    const fresh = await dial(base + 1);
    if (process.platform === "linux") expect(fresh.outcome).toBe("unanswered");
    else expect(await ask(fresh.socket, "x")).toBe("silence");
    const answer = ask(socket, "3", 2000);
    await fabric.heal("a");
    expect(await answer).toContain("2");
    const again = await dial(base + 1);
    expect(await ask(again.socket, "4")).toBe("4");
  });

  it("keeps a peer's end silent while cut, and passes it on once healed", async () => {
    await startEcho(base);
    const echo = opened[0] as { close(): unknown };
    const fabric = await startFabric([link("l", "cluster", base + 1, base)]);
    const { socket } = await dial(base + 1);
    expect(await ask(socket, "1")).toBe("1");
    await fabric.cut("a");
    echo.close();
    expect(await ask(socket, "2")).toBe("silence");
    const ended = new Promise((resolve) => socket.once("close", () => resolve("ended")));
    await fabric.heal("a");
    expect(await ended).toBe("ended");
  });

  it("leaves the clients their link in a partition", async () => {
    await startEcho(base);
    const fabric = await startFabric([
      link("peers", "cluster", base + 1, base),
      link("clients", "client", base + 2, base),
    ]);
    const peer = await dial(base + 1);
    const client = await dial(base + 2);
    await fabric.cut("a", "cluster");
    expect(await ask(peer.socket, "1")).toBe("silence");
    expect(await ask(client.socket, "1")).toBe("1");
    expect(fabric.cutNodes).toEqual(["a"]);
  });

  it("refuses connections to a dead target as a host would", async () => {
    await startFabric([link("l", "cluster", base + 1, base + 9)]);
    const { socket } = await dial(base + 1);
    expect(["ECONNRESET", "closed", "EPIPE"]).toContain(await ask(socket, "1"));
  });
});
