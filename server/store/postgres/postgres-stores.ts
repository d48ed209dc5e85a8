import { prismaAdapter } from "better-auth/adapters/prisma";
import type { Stores } from "../types.ts";
import { createPostgresAgentDirectory } from "./agent-directory.ts";
import { openConnections } from "./connections.ts";
import { createPostgresIdentityStore } from "./identity-store.ts";
import { createPostgresLoopStore } from "./loop-store.ts";
import { createDatabase } from "./prisma-client.ts";
import { createPostgresReadStore } from "./read-store.ts";
import { createPostgresSampleStore } from "./sample-store.ts";
import type { SecretKey } from "./secret-key.ts";
import { createPostgresTraceStore } from "./trace-store.ts";

export interface PostgresOptions {
  /** `postgresql://…`, already migrated. */
  readonly url: string;
  readonly secretKey: SecretKey;
}

/** Every port over one PostgreSQL. Connects at the first use; a database that is away comes back by itself. */
export function openPostgresStores({ url, secretKey }: PostgresOptions): Stores {
  const connections = openConnections(url);
  const database = createDatabase(connections.reads);
  const closeAll = async () => {
    await database.$disconnect();
    await connections.close();
  };
  return {
    store: createPostgresLoopStore(connections, closeAll),
    reads: createPostgresReadStore(connections, database),
    directory: createPostgresAgentDirectory(connections, secretKey),
    identity: createPostgresIdentityStore(database),
    samples: createPostgresSampleStore(connections),
    traces: createPostgresTraceStore(connections),
    createAuthDatabase: () => prismaAdapter(database, { provider: "postgresql", transaction: true }),
  };
}
