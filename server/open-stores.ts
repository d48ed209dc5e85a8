import { join } from "node:path";
import { migrateDatabase } from "../prisma/migrate.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Log } from "./observe/log.ts";
import {
  createMemoryStores,
  loadSecretKey,
  openPostgresStores,
  type Stores,
  startEmbeddedPostgres,
} from "./store/index.ts";

export interface OpenedStores {
  readonly stores: Stores;
  /** Null: state is kept in memory only. */
  readonly databaseUrl: string | null;
  /** Brings the schema up to date; rejects while the database can't be reached. */
  migrate(): Promise<void>;
}

/** The database of the configuration: the operator's own, or the embedded one, started here. */
export async function openStores(config: Config, lifecycle: Lifecycle, log: Log): Promise<OpenedStores> {
  if (process.env.HOLDFAST_STORE === "memory") {
    log("warn", "State is kept in memory only: it is lost when this process ends.");
    return { stores: createMemoryStores(), databaseUrl: null, migrate: async () => {} };
  }
  const secretKey = await loadSecretKey(join(config.dataDir, "secret.key"), config.secretKey ?? undefined);
  const url = config.databaseUrl ?? (await startEmbedded(config, lifecycle, log));
  const stores = openPostgresStores({ url, secretKey });
  lifecycle.onStop("the database connections", () => stores.store.close());
  return {
    stores,
    databaseUrl: url,
    async migrate() {
      const applied = await migrateDatabase(url);
      if (applied.length > 0) log("info", "The database schema was brought up to date.", { applied });
    },
  };
}

async function startEmbedded(config: Config, lifecycle: Lifecycle, log: Log): Promise<string> {
  const embedded = await startEmbeddedPostgres({
    dataDir: join(config.dataDir, "postgres"),
    ...(config.storePort === null ? {} : { port: config.storePort }),
    onEvent: (event) => log("warn", "The embedded database ended or was restarted.", { ...event }),
  });
  lifecycle.onStop("the embedded database", () => embedded.stop());
  return embedded.url;
}
