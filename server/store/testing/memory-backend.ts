import { createMemoryStores } from "../memory/memory-stores.ts";
import type { Backend } from "./backend.ts";

export const memoryBackend: Backend = {
  name: "memory",
  async open() {
    const stores = createMemoryStores();
    const { audit, faults } = stores.tables;
    const find = (seq: number) => audit.findIndex((row) => row.seq === seq);
    return {
      stores,
      openAnother: () => createMemoryStores(stores.tables),
      async stop() {
        faults.available = false;
      },
      async start() {
        faults.available = true;
      },
      tamper: {
        async changeAuditBody(seq) {
          const row = audit[find(seq)];
          if (row !== undefined) audit[find(seq)] = { ...row, body: row.body.replace("ada", "eve") };
        },
        async removeAuditEntry(seq) {
          audit.splice(find(seq), 1);
        },
      },
      close: () => stores.store.close(),
    };
  },
};
