import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { FakeAgent } from "../server/testing/fake-agent.ts";
import { startTestServer, type TestServer } from "../server/testing/start-server.ts";
import { makeTelemetry } from "../server/testing/telemetry.ts";
import { exitCodes } from "./exit-codes.ts";
import { runCommandLine } from "./program.ts";

const launcher = fileURLToPath(new URL("./holdfast.js", import.meta.url));
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command line in this process; what it prints is collected. Commands run one after the other. */
async function holdfast(args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((text) => void out.push(String(text)));
  const error = vi.spyOn(console, "error").mockImplementation((text) => void err.push(String(text)));
  const code = await runCommandLine(args, { ...process.env, ...here(), ...environment });
  log.mockRestore();
  error.mockRestore();
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** The same as a program of its own, started from the sources. */
function start(args: readonly string[], environment: Record<string, string>): Promise<Outcome> {
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOLDFAST_SOURCE: "1", ...environment },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    err += String(chunk);
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

const here = () => ({ HOLDFAST_DATA_DIR: server.config.dataDir, HOLDFAST_TOKEN: undefined, HOLDFAST_URL: undefined });
const elsewhere = { HOLDFAST_DATA_DIR: "/nonexistent" };

describe("the command line", () => {
  it("finds the server of this machine and its token by itself", async () => {
    const { code, out } = await holdfast(["status", "--json"]);
    expect(code).toBe(exitCodes.done);
    expect(JSON.parse(out)).toMatchObject({ system: { entity: "system" }, clusters: [], openIncidents: [] });
  });

  it("makes tokens that work, with the role they were given", async () => {
    const made = await holdfast(["token", "api", "--name", "ci", "--role", "viewer"]);
    const HOLDFAST_TOKEN = made.out.trim();
    const remote = { ...elsewhere, HOLDFAST_URL: server.url, HOLDFAST_TOKEN };
    expect((await holdfast(["nodes", "--json"], remote)).out.trim()).toBe("[]");
    const refused = await holdfast(["token", "create", "--node", "pg-a"], remote);
    expect(refused.code).toBe(exitCodes.refused);
    expect(refused.err).toContain("needs the role admin");
  });

  it("makes an enrolment token for a node, with labels", async () => {
    const { out } = await holdfast(["token", "create", "--node", "pg-a", "--labels", "rack=r1,tier=gold", "--json"]);
    const { token } = JSON.parse(out) as { token: string };
    const { hashToken } = await import("../server/protocol/token-hash.ts");
    const consumed = await server.stores.directory.consumeEnrolmentToken(await hashToken(token), Date.now());
    expect(consumed).toEqual({ ok: true, node: "pg-a", labels: { rack: "r1", tier: "gold" } });
  });

  it("declares what a service depends on, and takes it back", async () => {
    expect((await holdfast(["services", "depend", "web", "billing", "--reason", "by contract"])).out).toBe(
      "web depends on billing.",
    );
    const edges = async () =>
      (JSON.parse((await holdfast(["topology", "--json"])).out) as { edges: { from: string; declared: boolean }[] })
        .edges;
    expect(await edges()).toMatchObject([{ from: "service:web", declared: true }]);
    const twice = await holdfast(["services", "depend", "web", "billing"]);
    expect(twice.code).toBe(exitCodes.refused);
    expect((await holdfast(["services", "undepend", "web", "billing"])).code).toBe(exitCodes.done);
    await vi.waitFor(async () => expect(await edges()).toEqual([]), 5_000);
  });

  it("says how it knows who calls whom", async () => {
    const agent = await FakeAgent.open(server.url);
    await agent.enter("app-1", { enrolmentToken: await server.enrolmentToken("app-1") });
    const end = { kind: "service" as const, address: "127.0.0.1", port: 80 };
    agent.send(
      makeTelemetry({
        at: Date.now(),
        services: [{ name: "till", version: null, dependsOn: ["ledger"], declared: true }],
        connections: {
          scope: "h",
          addresses: [],
          listens: [{ ...end, service: "vault" }],
          calls: [{ ...end, service: "till", alias: null, sockets: 1 }],
        },
      }),
    );
    await vi.waitFor(
      async () => expect((await holdfast(["topology"])).out).toMatch(/till +vault +connection .*s ago/),
      5_000,
    );
    expect((await holdfast(["topology"])).out).toMatch(/till +ledger +declared .*never/);
    expect((await holdfast(["services"])).out).toMatch(/till .*ledger, vault \(connection\)/);
    agent.close();
  });

  it("counts and removes a key space, the latter only when it is meant", async () => {
    const file = join(server.config.dataDir, "carts.json");
    writeFileSync(file, JSON.stringify({ id: "carts", nodes: [{ id: "a" }, { id: "b" }], keys: 7, bytes: 70 }));
    expect((await holdfast(["ring", "register", file, "--reason", "new"])).code).toBe(exitCodes.done);
    const counts = async () => {
      const [space] = JSON.parse((await holdfast(["ring", "list", "--json"])).out) as { keys: number; bytes: number }[];
      return [space?.keys, space?.bytes];
    };
    expect((await holdfast(["ring", "count", "carts"])).code).toBe(exitCodes.usage);
    expect((await holdfast(["ring", "count", "carts", "--keys", "-1"])).code).toBe(exitCodes.usage);
    expect((await holdfast(["ring", "count", "carts", "--keys", "12"])).out).toContain("carts: 12 keys, 70 B.");
    expect(await counts()).toEqual([12, 70]);
    await holdfast(["ring", "count", "carts", "--bytes", "unknown"]);
    expect(await counts()).toEqual([12, null]);
    const unsaid = await holdfast(["ring", "remove", "carts", "--reason", "over"]);
    expect(unsaid).toMatchObject({ code: exitCodes.refused, err: expect.stringContaining("--yes") });
    expect(await counts()).toEqual([12, null]);
    expect((await holdfast(["ring", "remove", "carts", "--reason", "over", "--yes"])).out).toBe("carts is removed.");
    expect((await holdfast(["ring", "remove", "carts", "--reason", "over", "--yes"])).code).toBe(exitCodes.refused);
  });

  it("verifies the audit, and says so when somebody has changed it", async () => {
    await server.stores.reads.appendAudit({
      at: 1,
      actor: "a",
      actorRole: "admin",
      verb: "v",
      subject: "s",
      before: null,
      after: null,
      reason: "",
    });
    expect((await holdfast(["audit", "verify"])).out).toContain("The chain holds");
    const entry = server.stores.tables.audit.at(-1);
    if (entry === undefined) throw new Error("no entry");
    server.stores.tables.audit[server.stores.tables.audit.length - 1] = {
      ...entry,
      body: entry.body.replace("admin", "viewer"),
    };
    const broken = await holdfast(["audit", "verify", "--json"]);
    expect(broken.code).toBe(exitCodes.error);
    expect(JSON.parse(broken.out)).toMatchObject({ ok: false, brokenAt: entry.seq });
    server.stores.tables.audit[server.stores.tables.audit.length - 1] = entry;
  });

  it("answers mistakes with a sentence and its own exit code", async () => {
    const cases: readonly (readonly [readonly string[], Record<string, string>, number, RegExp])[] = [
      [["no-such-command"], {}, exitCodes.usage, /unknown command/],
      [["failover", "orders"], {}, exitCodes.usage, /--reason/],
      [["failover", "orders", "--reason", "test", "--yes"], {}, exitCodes.refused, /no cluster named orders/],
      [["incidents", "show", "INC-9"], {}, exitCodes.refused, /no incident named INC-9/],
      [["automation", "maybe", "orders", "--reason", "x"], {}, exitCodes.usage, /`on` or `hold`/],
      [
        ["status"],
        { ...elsewhere, HOLDFAST_URL: "http://127.0.0.1:9" },
        exitCodes.unreachable,
        /Is the server running/,
      ],
      [["status"], { ...elsewhere, HOLDFAST_URL: server.url }, exitCodes.refused, /HOLDFAST_TOKEN/],
    ];
    for (const [args, environment, code, sentence] of cases) {
      const outcome = await holdfast(args, environment);
      expect(outcome.code, `${args.join(" ")}: ${outcome.err}`).toBe(code);
      expect(outcome.err).toMatch(sentence);
      expect(outcome.err).not.toMatch(/\n\s+at /);
    }
  });

  it("starts as a program, and no server on a port that is taken", async () => {
    const port = new URL(server.url).port;
    const environment = { HOLDFAST_DATA_DIR: server.config.dataDir, HOLDFAST_PORT: port, HOLDFAST_STORE: "memory" };
    const [status, taken] = await Promise.all([
      start(["status", "--json"], environment),
      start(["server"], environment),
    ]);
    expect(status, status.err).toMatchObject({ code: 0 });
    expect(taken.code).toBe(4);
    expect(taken.err).toContain(`Port ${port} on 127.0.0.1 is taken`);
    // The server that was there keeps its files.
    expect((await holdfast(["status"])).code).toBe(0);
  });
});
