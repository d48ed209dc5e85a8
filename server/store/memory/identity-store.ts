import type { ApiTokenRecord, IdentityStore, UserRecord, UserRole } from "../../ports/identity.ts";
import { lastUseNoted } from "../shared/token-use.ts";
import { type MemoryTables, requireAvailable } from "./tables.ts";

export function createMemoryIdentityStore(tables: MemoryTables): IdentityStore {
  return {
    async userCount() {
      requireAvailable(tables);
      return tables.auth.user.length;
    },
    async listUsers() {
      requireAvailable(tables);
      return tables.auth.user.map((row) => readUser(tables, row));
    },
    async roleOf(userId) {
      requireAvailable(tables);
      return tables.roles.get(userId) ?? null;
    },
    async setRole(userId, role) {
      requireAvailable(tables);
      return setRole(tables, userId, role);
    },
    async claimFirstAdmin(userId) {
      requireAvailable(tables);
      if (countAdmins(tables) > 0 || !hasUser(tables, userId)) return false;
      tables.roles.set(userId, "admin");
      return true;
    },
    async endSessions(userId) {
      requireAvailable(tables);
      return endSessions(tables, userId);
    },
    ...createTokenMethods(tables),
  };
}

type TokenMethods = Pick<IdentityStore, "createApiToken" | "findApiToken" | "revokeApiToken" | "listApiTokens">;

function createTokenMethods(tables: MemoryTables): TokenMethods {
  return {
    async createApiToken({ hash, name, role, createdBy, expiresAt, lockPrefixes = [] }, now) {
      requireAvailable(tables);
      const id = crypto.randomUUID();
      const record: ApiTokenRecord = {
        id,
        name,
        role,
        createdBy,
        expiresAt,
        createdAt: now,
        revokedAt: null,
        lastUsedAt: null,
        lockPrefixes,
      };
      tables.apiTokens.set(hash, record);
      return record;
    },
    async findApiToken(hash, now) {
      requireAvailable(tables);
      const token = tables.apiTokens.get(hash);
      if (token === undefined || token.revokedAt !== null) return null;
      if (token.expiresAt !== null && token.expiresAt <= now) return null;
      const used = { ...token, lastUsedAt: lastUseNoted(token.lastUsedAt, now) };
      tables.apiTokens.set(hash, used);
      return used;
    },
    async revokeApiToken(id, now) {
      requireAvailable(tables);
      for (const [hash, token] of tables.apiTokens) {
        if (token.id !== id || token.revokedAt !== null) continue;
        tables.apiTokens.set(hash, { ...token, revokedAt: now });
        return true;
      }
      return false;
    },
    async listApiTokens() {
      requireAvailable(tables);
      return [...tables.apiTokens.values()].sort((a, b) => b.createdAt - a.createdAt);
    },
  };
}

function readUser(tables: MemoryTables, row: Record<string, unknown>): UserRecord {
  const id = String(row.id);
  const createdAt = row.createdAt instanceof Date ? row.createdAt.getTime() : 0;
  return { id, name: String(row.name), email: String(row.email), role: tables.roles.get(id) ?? null, createdAt };
}

function hasUser(tables: MemoryTables, userId: string): boolean {
  return tables.auth.user.some((row) => row.id === userId);
}

function countAdmins(tables: MemoryTables): number {
  return [...tables.roles.values()].filter((role) => role === "admin").length;
}

function setRole(tables: MemoryTables, userId: string, role: UserRole | null) {
  if (!hasUser(tables, userId)) return "unknown-user";
  const current = tables.roles.get(userId) ?? null;
  if (current === role) return "unchanged";
  if (current === "admin" && countAdmins(tables) === 1) return "last-admin";
  if (role === null) tables.roles.delete(userId);
  else tables.roles.set(userId, role);
  endSessions(tables, userId);
  return "changed";
}

function endSessions(tables: MemoryTables, userId: string): number {
  const before = tables.auth.session.length;
  tables.auth.session = tables.auth.session.filter((row) => row.userId !== userId);
  return before - tables.auth.session.length;
}
