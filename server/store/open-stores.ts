import { join } from "node:path";
import { migrateDatabase } from "../../prisma/migrate.ts";
import { type EmbeddedEvent, startEmbeddedPostgres } from "./embedded/embedded-server.ts";
import { openPostgresStores } from "./postgres/postgres-stores.ts";
import { loadSecretKey } from "./postgres/secret-key.ts";
import type { Stores } from "./types.ts";

export interface InstallationOptions {
  /** Holds the embedded database (`postgres`) and the master key (`secret.key`). */
  readonly dataDir: string;
  /** Any PostgreSQL from 14 on; the embedded one when left out. */
  readonly databaseUrl?: string;
  /** Of the embedded database, on 127.0.0.1; a free one when left out. */
  readonly databasePort?: number;
  /** HOLDFAST_SECRET_KEY; the file in `dataDir` when left out. */
  readonly secretKey?: string;
  readonly onDatabaseEvent?: (event: EmbeddedEvent) => void;
}

export interface Installation {
  readonly stores: Stores;
  /** True when the database is ours to run. */
  readonly embedded: boolean;
  /** Names of the migrations that this start applied. */
  readonly migrated: readonly string[];
  /** Closes the connections, then the embedded database. */
  close(): Promise<void>;
}

/** Everything that a control plane needs of its store: the database running, its schema current, every port open. */
export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const secretKey = await loadSecretKey(join(options.dataDir, "secret.key"), options.secretKey);
  const server =
    options.databaseUrl === undefined
      ? await startEmbeddedPostgres({
          dataDir: join(options.dataDir, "postgres"),
          port: options.databasePort,
          onEvent: options.onDatabaseEvent,
        })
      : null;
  const url = server?.url ?? options.databaseUrl ?? "";
  try {
    const migrated = await migrateDatabase(url);
    const stores = openPostgresStores({ url, secretKey });
    return {
      stores,
      embedded: server !== null,
      migrated,
      async close() {
        await stores.store.close();
        await server?.stop();
      },
    };
  } catch (error) {
    await server?.stop();
    throw error;
  }
}
