import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { migrateDatabase } from "../../../prisma/migrate.ts";
import { type EmbeddedServer, startEmbeddedPostgres } from "../embedded/embedded-server.ts";
import { openPostgresStores } from "../postgres/postgres-stores.ts";
import type { Backend, OpenBackend } from "./backend.ts";

const template = "holdfast_template";

export interface PostgresBackend extends Backend {
  stopServer(): Promise<void>;
  /** A migrated database of its own. */
  createDatabase(): Promise<string>;
}

/** One embedded server for a test file; each `open` gets a copy of a migrated template. */
export async function startPostgresBackend(): Promise<PostgresBackend> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-store-"));
  const dataDir = join(folder, "pg");
  await chmod(folder, 0o755);
  // Nothing here has to survive the machine: many small databases are made.
  const options = { dataDir, database: template, settings: { fsync: "off", full_page_writes: "off" } };
  let server: EmbeddedServer = await startEmbeddedPostgres(options);
  const { port } = server;
  await migrateDatabase(server.url);

  const urlOf = (database: string) => server.url.replace(/[^/]*$/, database);
  const administer = async (database: string, work: (client: Client) => Promise<unknown>) => {
    const client = new Client({ connectionString: urlOf(database) });
    await client.connect();
    await work(client).finally(() => client.end());
  };
  const createDatabase = async () => {
    const name = `test_${randomBytes(6).toString("hex")}`;
    await administer("postgres", (client) =>
      client.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`),
    );
    return name;
  };
  const open = async (): Promise<OpenBackend> => {
    const database = await createDatabase();
    const secretKey = { id: "test", key: randomBytes(32) };
    const opened = [openPostgresStores({ url: urlOf(database), secretKey })];
    const [stores] = opened;
    if (stores === undefined) throw new Error("unreachable");
    const withoutTriggers = (sql: string, values: unknown[]) =>
      administer(database, async (client) => {
        await client.query("ALTER TABLE audit DISABLE TRIGGER audit_append_only");
        await client.query(sql, values);
        await client.query("ALTER TABLE audit ENABLE TRIGGER audit_append_only");
      });
    return {
      stores,
      openAnother() {
        const another = openPostgresStores({ url: urlOf(database), secretKey });
        opened.push(another);
        return another;
      },
      stop: () => server.stop(),
      async start() {
        server = await startEmbeddedPostgres({ ...options, port });
      },
      tamper: {
        changeAuditBody: (seq) =>
          withoutTriggers("UPDATE audit SET body = replace(body, 'ada', 'eve') WHERE seq = $1", [seq]),
        removeAuditEntry: (seq) => withoutTriggers("DELETE FROM audit WHERE seq = $1", [seq]),
      },
      async close() {
        await Promise.all(opened.map((each) => each.store.close()));
      },
    };
  };
  return {
    name: "postgres",
    open,
    async createDatabase() {
      return urlOf(await createDatabase());
    },
    async stopServer() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
