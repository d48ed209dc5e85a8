import { memoryAdapter } from "better-auth/adapters/memory";
import type { Stores } from "../types.ts";
import { createMemoryAgentDirectory } from "./agent-directory.ts";
import { createMemoryIdentityStore } from "./identity-store.ts";
import { createMemoryLoopStore } from "./loop-store.ts";
import { createMemoryReadStore } from "./read-store.ts";
import { createMemorySampleStore } from "./sample-store.ts";
import { createMemoryTables, type MemoryFaults, type MemoryTables } from "./tables.ts";
import { createMemoryTraceStore } from "./traces.ts";

export interface MemoryStores extends Stores {
  readonly tables: MemoryTables;
  readonly faults: MemoryFaults;
}

/**
 * The in-memory twin of the PostgreSQL store: the same guarantees, nothing outlives the process. Give it the tables of another one and
 * it is the same database opened again.
 */
export function createMemoryStores(tables: MemoryTables = createMemoryTables()): MemoryStores {
  return {
    tables,
    faults: tables.faults,
    store: createMemoryLoopStore(tables),
    reads: createMemoryReadStore(tables),
    directory: createMemoryAgentDirectory(tables),
    identity: createMemoryIdentityStore(tables),
    samples: createMemorySampleStore(tables),
    traces: createMemoryTraceStore(tables),
    createAuthDatabase: () => memoryAdapter(tables.auth),
  };
}
