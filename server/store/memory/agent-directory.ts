import type { AgentDirectory } from "../../ports/store.ts";
import { generateServerKey } from "../shared/server-key.ts";
import { type MemoryTables, requireAvailable } from "./tables.ts";

export function createMemoryAgentDirectory(tables: MemoryTables): AgentDirectory {
  return {
    async createEnrolmentToken({ hash, labels, node, expiresAt, createdBy }) {
      requireAvailable(tables);
      tables.enrolmentTokens.set(hash, { labels, node, expiresAt, createdBy, usedAt: null });
    },
    async consumeEnrolmentToken(hash, now) {
      requireAvailable(tables);
      const token = tables.enrolmentTokens.get(hash);
      if (token === undefined) return { ok: false, code: "token-unknown" };
      if (token.usedAt !== null) return { ok: false, code: "token-used" };
      if (token.expiresAt <= now) return { ok: false, code: "token-expired" };
      token.usedAt = now;
      return { ok: true, labels: token.labels, node: token.node };
    },
    async serverKey() {
      requireAvailable(tables);
      tables.serverKey ??= generateServerKey();
      return tables.serverKey;
    },
    async nextCounter(agentKey) {
      requireAvailable(tables);
      const next = (tables.commandCounters.get(agentKey) ?? 0) + 1;
      tables.commandCounters.set(agentKey, next);
      return next;
    },
  };
}
