import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedEvent, type EmbeddedServer, startEmbeddedPostgres } from "./embedded-server.ts";

let folder: string;
let dataDir: string;
const running: EmbeddedServer[] = [];
const events: EmbeddedEvent[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-embedded-"));
  await chmod(folder, 0o755);
  dataDir = join(folder, "pg");
});
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function start(port?: number): Promise<EmbeddedServer> {
  const server = await startEmbeddedPostgres({ dataDir, port, onEvent: (event) => events.push(event) });
  running.push(server);
  return server;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client
    .query(text)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

async function waitFor(found: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!found()) {
    if (performance.now() > deadline) throw new Error("It did not happen within 15 s.");
    await new Promise((done) => setTimeout(done, 20));
  }
}

describe("the embedded server", () => {
  it("keeps what was committed over a stop, and asks for its password", async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE kept AS SELECT 1 AS id");
    const [settings] = await query(
      first.url,
      `SELECT current_setting('synchronous_commit') AS sync, current_setting('fsync') AS fsync,
        current_setting('listen_addresses') AS listen, current_setting('server_encoding') AS encoding`,
    );
    expect(settings).toEqual({ sync: "on", fsync: "on", listen: "127.0.0.1", encoding: "UTF8" });
    await expect(query(first.url.replace(/:[^:@]+@/, ":wrong@"), "SELECT 1")).rejects.toThrow(/password/);
    await first.stop();
    await expect(query(first.url, "SELECT 1")).rejects.toThrow();
    const second = await start(first.port);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, "SELECT id FROM kept")).toEqual([{ id: 1 }]);
    expect((await stat(`${dataDir}.password`)).mode & 0o077).toBe(0);
  });

  it("refuses a directory that a living process uses, by its number", async () => {
    await expect(start()).rejects.toThrow(new RegExp(`in use by process ${process.pid}\\.`));
  });

  it("comes back by itself when it is killed, with what was committed", async () => {
    const server = running.at(-1) as EmbeddedServer;
    await query(server.url, "INSERT INTO kept VALUES (2)");
    const killed = server.pid;
    events.length = 0;
    process.kill(killed, "SIGKILL");
    await waitFor(() => events.some((event) => event.kind === "embedded-restarted"));
    expect(events[0]).toMatchObject({ kind: "embedded-exited", signal: "SIGKILL" });
    expect(server.pid).not.toBe(killed);
    expect(await query(server.url, "SELECT id FROM kept ORDER BY 1")).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it("starts over what a machine that lost power left behind", async () => {
    await running.at(-1)?.stop();
    // The numbers now belong to somebody else: this test.
    const stalePid = `${process.pid}\n${dataDir}\n0\n5432\n\n127.0.0.1\n  0 0\nready   \n`;
    await writeFile(join(dataDir, "postmaster.pid"), stalePid);
    await writeFile(`${dataDir}.owner`, `${process.pid} 1\n`);
    const server = await start();
    expect(await query(server.url, "SELECT count(*)::int AS rows FROM kept")).toEqual([{ rows: 2 }]);
    await server.stop();
    await expect(readFile(`${dataDir}.owner`)).rejects.toThrow();
  });

  it("says that its port is taken, and leaves the directory free", async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await expect(start(port)).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken by another process.`);
    await new Promise((done) => other.close(done));
    await (await start(port)).stop();
  });

  it("says why when it can't start, with the end of its log", async () => {
    const options = { dataDir, settings: { shared_buffers: "nonsense" } };
    await expect(startEmbeddedPostgres(options)).rejects.toThrow(/did not start: it ended[\s\S]*shared_buffers/);
  });

  it.runIf(process.getuid?.() === 0)("names the directory that its user may not pass", async () => {
    await chmod(folder, 0o700);
    await expect(start()).rejects.toThrow(`may not pass ${folder}`);
    await chmod(folder, 0o755);
  });
});
