import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { ServiceDetail, TopologyView } from "../../server/protocol/index.ts";
import { startTestServer, type TestServer } from "../../server/testing/start-server.ts";
import { Agent } from "../agent.ts";
import { loadConfig } from "../config/load.ts";

let server: TestServer;
let folder: string;
const agents: Agent[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), "holdfast-connections-"));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const agent of agents) await agent.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A process that the agent knows by its pid file, as one of a database or a daemon. */
function run(name: string, script: string): Promise<{ readonly line: string; readonly pidFile: string }> {
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const pidFile = join(folder, `${name}.pid`);
  writeFileSync(pidFile, `${child.pid}\n`);
  return new Promise((resolve) =>
    child.stdout?.once("data", (text) => resolve({ line: String(text).trim(), pidFile })),
  );
}

async function startAgent(node: string, application: object): Promise<void> {
  const path = join(folder, `${node}.yaml`);
  const text = {
    node,
    server: server.url.replace("http", "ws"),
    stateDir: join(folder, node),
    token: await server.enrolmentToken(node),
    applications: [application],
  };
  writeFileSync(path, stringify(text));
  const agent = await Agent.create(await loadConfig(path), () => {});
  agents.push(agent);
  await agent.start();
}

async function ask<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${await server.apiToken("viewer")}` };
  return (await fetch(`${server.url}/api/v1/${path}`, { headers })).json() as Promise<T>;
}

describe.runIf(process.platform === "linux")("two services that send no traces", () => {
  it("are on the map with the connection between them, though they are watched by two agents", async () => {
    const payments = await run(
      "payments",
      `const s = require("node:net").createServer(() => {}); s.listen(0, "127.0.0.1", () => console.log(s.address().port));`,
    );
    const orders = await run(
      "orders",
      `require("node:net").connect(${payments.line}, "127.0.0.1", () => console.log("up"));`,
    );
    await startAgent("app-1", { name: "orders", pidFile: orders.pidFile });
    await startAgent("app-2", { name: "payments", pidFile: payments.pidFile });
    const calls = async () =>
      (await ask<TopologyView>("topology")).edges.filter((edge) => edge.kind === "calls" && edge.connected);
    await expect.poll(calls, { timeout: 25_000, interval: 500 }).toMatchObject([
      {
        from: "service:orders",
        to: "service:payments",
        declared: false,
        observed: false,
        traffic: { perSecond: null, errorShare: null },
      },
    ]);
    expect((await calls())[0]?.lastSeenAt).toBeGreaterThan(Date.now() - 30_000);
    expect(await ask<ServiceDetail>("services/payments")).toMatchObject({ calledBy: [], connected: true });
  }, 40_000);
});
