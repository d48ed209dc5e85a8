import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Gateway, routeUpgrades } from "./upgrade.ts";

let server: Server;
afterEach(() => server.close());

async function listen(gateway: () => Gateway | null): Promise<string> {
  // What answers requests meanwhile takes its time: an agent must not end up there.
  server = createServer(() => {});
  routeUpgrades(server, gateway, { isDevelopment: false });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const failureOf = (url: string) =>
  new Promise<string>((resolve) => new WebSocket(url).once("error", ({ message }) => resolve(message)));

it("refuses agents and browsers at once while nobody is there to take them", async () => {
  const url = await listen(() => null);
  expect(await failureOf(`${url}/agent`)).toContain("503");
  expect(await failureOf(`${url}/live`)).toContain("503");
});

it("hands each to its hub, and cuts off the rest", async () => {
  const taken: string[] = [];
  const hub = (name: string) => ({
    handleUpgrade: (_request: unknown, socket: { destroy(): void }) => {
      taken.push(name);
      socket.destroy();
    },
  });
  const url = await listen(() => ({ agents: hub("agents"), viewers: hub("viewers") }) as unknown as Gateway);
  for (const path of ["/agent", "/live?from=1", "/elsewhere"]) await failureOf(url + path);
  expect(taken).toEqual(["agents", "viewers"]);
});
