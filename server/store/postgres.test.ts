import { randomBytes } from "node:crypto";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findMigrationsDir, migrateDatabase, readMigrations } from "../../prisma/migrate.ts";
import { Prisma } from "./generated/client.ts";
import { openPostgresStores } from "./postgres/postgres-stores.ts";
import { createDatabase } from "./postgres/prisma-client.ts";
import { startCutProxy } from "./testing/cut-proxy.ts";
import { draft, entry, node } from "./testing/fixtures.ts";
import { type PostgresBackend, startPostgresBackend } from "./testing/postgres-backend.ts";

/** What only a real database can show; the rest is in the contract. */
let backend: PostgresBackend;
const secretKey = { id: "test", key: randomBytes(32) };
beforeAll(async () => {
  backend = await startPostgresBackend();
});
afterAll(() => backend.stopServer());

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

describe("append-only records", () => {
  it("refuse every change, also to the owner of the tables", async () => {
    const url = await backend.createDatabase();
    const { store } = openPostgresStores({ url, secretKey });
    const epoch = await store.lead("a");
    await store.commit(epoch, [
      { kind: "append-audit", value: draft("one") },
      { kind: "append-timeline", value: entry("one") },
    ]);
    const client = await connect(url);
    for (const table of ["audit", "timeline"]) {
      await expect(client.query(`UPDATE ${table} SET seq = 9`)).rejects.toThrow(/append-only: UPDATE/);
      await expect(client.query(`DELETE FROM ${table}`)).rejects.toThrow(/append-only: DELETE/);
      await expect(client.query(`TRUNCATE ${table}`)).rejects.toThrow(/append-only: TRUNCATE/);
    }
    await client.end();
    await store.close();
  });
});

describe("a leader that is being replaced", () => {
  it("finishes its transaction first, and the new leader loads what it wrote", async () => {
    const url = await backend.createDatabase();
    const { store } = openPostgresStores({ url, secretKey });
    const epoch = await store.lead("old");
    const slow = await connect(url);
    await slow.query("BEGIN");
    await slow.query("SELECT commit_writes($1, $2)", [epoch, JSON.stringify({ nodes: [node("pg-a")] })]);
    let led = false;
    const leading = store.lead("new").then(() => {
      led = true;
    });
    await new Promise((done) => setTimeout(done, 200));
    expect(led).toBe(false);
    await slow.query("COMMIT");
    await leading;
    expect([...(await store.load()).nodes.keys()]).toEqual(["pg-a"]);
    const late = slow.query("SELECT commit_writes($1, $2)", [epoch, JSON.stringify({ nodes: [node("pg-b")] })]);
    await expect(late).rejects.toMatchObject({ code: "HF001" });
    await slow.end();
    await store.close();
  });
});

describe("an answer that is lost", () => {
  it.each(["sever", "swallow"] as const)(
    "is `unknown` (%s), within its deadline, and the write may be there",
    async (mode) => {
      const url = new URL(await backend.createDatabase());
      const proxy = await startCutProxy(Number(url.port));
      url.port = String(proxy.port);
      const { store } = openPostgresStores({ url: url.href, secretKey });
      const epoch = await store.lead("a");
      proxy.mode = mode;
      const begun = performance.now();
      const outcome = await store.commit(epoch, [{ kind: "put-node", value: node("pg-a") }]);
      expect(outcome).toMatchObject({ ok: false, code: "unknown" });
      expect(performance.now() - begun).toBeLessThan(3_000);
      proxy.mode = "pass";
      expect(await store.lead("a")).toBe(epoch + 1);
      expect([...(await store.load()).nodes.keys()]).toEqual(["pg-a"]);
      expect(await store.commit(epoch + 1, [{ kind: "put-node", value: node("pg-b") }])).toMatchObject({ ok: true });
      await store.close();
      await proxy.close();
    },
  );
});

describe("a batch that the database can never take", () => {
  it("rejects instead of being tried for ever, and leaves nothing", async () => {
    const url = await backend.createDatabase();
    const { store } = openPostgresStores({ url, secretKey });
    const epoch = await store.lead("a");
    const broken = { ...node("pg-b"), id: null as unknown as string };
    const batch = [
      { kind: "put-node", value: node("pg-a") },
      { kind: "put-node", value: broken },
    ] as const;
    await expect(store.commit(epoch, batch)).rejects.toThrow(/refused a commit for good/);
    expect((await store.load()).nodes.size).toBe(0);
    await store.close();
  });
});

describe("the server key", () => {
  it("is not readable in the database, and not under another master key", async () => {
    const url = await backend.createDatabase();
    const first = openPostgresStores({ url, secretKey });
    const { privateKey } = await first.directory.serverKey();
    const client = await connect(url);
    const { rows } = await client.query("SELECT to_json(server_key)::text AS text FROM server_key");
    expect(rows[0].text).not.toContain(privateKey);
    const other = openPostgresStores({ url, secretKey: { id: "other", key: randomBytes(32) } });
    await expect(other.directory.serverKey()).rejects.toThrow(/master key test.*present one is other/);
    const forged = openPostgresStores({ url, secretKey: { id: "test", key: randomBytes(32) } });
    await expect(forged.directory.serverKey()).rejects.toThrow();
    await client.end();
    await Promise.all([first, other, forged].map((each) => each.store.close()));
  });
});

describe("the schema of the client", () => {
  it("names only tables and columns that the migrations make", async () => {
    const pool = new Pool({ connectionString: await backend.createDatabase() });
    const client = createDatabase(pool);
    const names = Object.values(Prisma.ModelName);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const model = `${name[0]?.toLowerCase()}${name.slice(1)}` as Uncapitalize<typeof name>;
      const { findFirst } = client[model] as { findFirst(): Promise<unknown> };
      expect(await findFirst(), name).toBeNull();
    }
    await client.$disconnect();
    await pool.end();
  });
});

describe("migrations", () => {
  it("run once, and note themselves as Prisma does", async () => {
    const url = await backend.createDatabase();
    expect(await migrateDatabase(url)).toEqual([]);
    const client = await connect(url);
    const { rows } = await client.query(
      "SELECT migration_name, checksum, applied_steps_count FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1",
    );
    const files = await readMigrations(findMigrationsDir());
    expect(rows).toEqual(
      files.map((file) => ({ migration_name: file.name, checksum: file.checksum, applied_steps_count: 1 })),
    );
    await client.end();
  });

  it("refuse a file that was changed, a database from a newer version, and undo a file that fails", async () => {
    const url = await backend.createDatabase();
    const folder = await mkdtemp(join(tmpdir(), "holdfast-migrations-"));
    await cp(findMigrationsDir(), folder, { recursive: true });
    const add = async (name: string, sql: string) => {
      await cp(join(findMigrationsDir(), "20261123000000_foundation"), join(folder, name), { recursive: true });
      await writeFile(join(folder, name, "migration.sql"), sql);
    };
    await add("29990101000000_broken", "CREATE TABLE half (id int); SELECT 1 / 0;");
    await expect(migrateDatabase(url, folder)).rejects.toThrow(
      /29990101000000_broken failed and was rolled back: division/,
    );
    const client = await connect(url);
    expect((await client.query("SELECT to_regclass('half') AS half")).rows[0].half).toBeNull();
    await add("29990101000000_broken", "CREATE TABLE half (id int);");
    expect(await migrateDatabase(url, folder)).toEqual(["29990101000000_broken"]);
    await expect(migrateDatabase(url)).rejects.toThrow(/a newer version has used it/);
    await add("29990101000000_broken", "CREATE TABLE whole (id int);");
    await expect(migrateDatabase(url, folder)).rejects.toThrow(/was changed after it was applied/);
    await client.end();
    await rm(folder, { recursive: true, force: true });
  });

  it("run once when several processes start at the same time", async () => {
    const url = new URL(await backend.createDatabase());
    const empty = `empty_${randomBytes(4).toString("hex")}`;
    const client = await connect(url.href);
    await client.query(`CREATE DATABASE ${empty}`);
    await client.end();
    url.pathname = `/${empty}`;
    const applied = await Promise.all([1, 2, 3].map(() => migrateDatabase(url.href)));
    const all = await readMigrations(findMigrationsDir());
    expect(applied.map((names) => names.length).sort((a, b) => a - b)).toEqual([0, 0, all.length]);
  });
});
