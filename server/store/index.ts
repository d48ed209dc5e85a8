/** The store's public face: for `main`, tests and the simulator. */
export { ensureEmbeddedBinaries } from "./embedded/binaries.ts";
export {
  type EmbeddedEvent,
  type EmbeddedOptions,
  type EmbeddedServer,
  startEmbeddedPostgres,
} from "./embedded/embedded-server.ts";
export { createMemoryStores, type MemoryStores } from "./memory/memory-stores.ts";
export { openPostgresStores, type PostgresOptions } from "./postgres/postgres-stores.ts";
export { loadSecretKey, type SecretKey } from "./postgres/secret-key.ts";
export type { AuthDatabase, Stores } from "./types.ts";
