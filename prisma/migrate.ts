import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";

/** Prisma's own advisory lock number: its `migrate deploy` and this runner exclude each other. */
const advisoryLock = 72707369;

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal, as Prisma computes it. */
  readonly checksum: string;
}

/** The folder `prisma/migrations`, from the source tree or from a bundle below the same root. */
export function findMigrationsDir(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const candidate = join(at, "prisma", "migrations");
    if (existsSync(candidate)) return candidate;
    if (at === dirname(at)) break;
  }
  throw new Error("The folder prisma/migrations is missing: the installation is incomplete. Install Holdfast again.");
}

export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(directory, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql, "utf8").digest("hex") };
    }),
  );
}

/**
 * Brings the database to the newest schema; answers with the names that were applied. Each file is one transaction together with its
 * row in `_prisma_migrations`, so that `prisma migrate deploy` agrees with it. Several processes may start at once: one migrates, the
 * others wait.
 */
export async function migrateDatabase(url: string, directory = findMigrationsDir()): Promise<readonly string[]> {
  const migrations = await readMigrations(directory);
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect().catch((error: Error) => {
    throw new Error(
      `Can't connect to the database at ${describeUrl(url)}: ${error.message}. Check DATABASE_URL and the server.`,
    );
  });
  try {
    await client.query("SELECT pg_advisory_lock($1)", [advisoryLock]);
    await client.query(createHistory);
    const applied = await readHistory(client);
    refuseForeignHistory(applied, migrations);
    const missing = migrations.filter((migration) => !applied.has(migration.name));
    for (const migration of missing) await applyMigration(client, migration);
    return missing.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

/** Without the password. */
function describeUrl(url: string): string {
  if (!URL.canParse(url)) return "the given URL";
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || 5432}${pathname}`;
}

/** As Prisma makes it. */
const createHistory = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
  )`;

async function readHistory(client: Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
    "SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL",
  );
  const unfinished = rows.find((row) => row.finished_at === null);
  if (unfinished !== undefined) {
    throw new Error(
      `Migration ${unfinished.migration_name} was begun by another tool and never finished. ` +
        "Look at the database, then settle it with `npx prisma migrate resolve`.",
    );
  }
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

function refuseForeignHistory(applied: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  for (const [name, checksum] of applied) {
    const ours = known.get(name);
    if (ours === undefined) {
      throw new Error(
        `The database has migration ${name}, which this version of Holdfast does not know: a newer version has used it. ` +
          "Start that version, or restore a backup from before the upgrade.",
      );
    }
    if (ours !== checksum) {
      throw new Error(
        `Migration ${name} was changed after it was applied to this database (checksum ${checksum.slice(0, 12)}… there, ` +
          `${ours.slice(0, 12)}… here). Restore the file as it was; a change of the schema is a new migration.`,
      );
    }
  }
}

async function applyMigration(client: Client, migration: Migration): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    await client.query(
      "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES ($1, $2, now(), $3, 1)",
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw new Error(`Migration ${migration.name} failed and was rolled back: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
