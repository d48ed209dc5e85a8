import { randomUUID } from "node:crypto";
import type { IdentityStore, UserRole } from "../../ports/identity.ts";
import type { Prisma } from "../generated/client.ts";
import { lastUseNoted } from "../shared/token-use.ts";
import { type Database, runPrisma } from "./prisma-client.ts";

export function createPostgresIdentityStore(database: Database): IdentityStore {
  return {
    userCount: () => runPrisma(() => database.user.count()),
    listUsers: () =>
      runPrisma(async () => {
        const rows = await database.user.findMany({
          include: { role: true },
          orderBy: [{ createdAt: "asc" }, { id: "asc" }],
        });
        return rows.map((row) => ({
          id: row.id,
          name: row.name,
          email: row.email,
          role: row.role?.role ?? null,
          createdAt: row.createdAt.getTime(),
        }));
      }),
    roleOf: (userId) =>
      runPrisma(async () => (await database.userRole.findUnique({ where: { userId } }))?.role ?? null),
    setRole: (userId, role) => runPrisma(() => database.$transaction((tx) => setRole(tx, userId, role))),
    claimFirstAdmin: (userId) => runPrisma(() => database.$transaction((tx) => claimFirstAdmin(tx, userId))),
    endSessions: (userId) => runPrisma(async () => (await database.session.deleteMany({ where: { userId } })).count),
    ...createTokenMethods(database),
  };
}

type Transaction = Prisma.TransactionClient;

/** Changes of roles are rare: one after the other, so that two can't each take away the other's last administrator. */
async function lockRoles(tx: Transaction): Promise<void> {
  await tx.$executeRaw`LOCK TABLE user_roles IN SHARE ROW EXCLUSIVE MODE`;
}

async function setRole(tx: Transaction, userId: string, role: UserRole | null) {
  await lockRoles(tx);
  const user = await tx.user.findUnique({ where: { id: userId }, include: { role: true } });
  if (user === null) return "unknown-user" as const;
  const current = user.role?.role ?? null;
  if (current === role) return "unchanged" as const;
  if (current === "admin" && (await tx.userRole.count({ where: { role: "admin" } })) === 1)
    return "last-admin" as const;
  if (role === null) await tx.userRole.delete({ where: { userId } });
  else await tx.userRole.upsert({ where: { userId }, create: { userId, role }, update: { role } });
  await tx.session.deleteMany({ where: { userId } });
  return "changed" as const;
}

async function claimFirstAdmin(tx: Transaction, userId: string): Promise<boolean> {
  await lockRoles(tx);
  if ((await tx.userRole.count({ where: { role: "admin" } })) > 0) return false;
  if ((await tx.user.count({ where: { id: userId } })) === 0) return false;
  await tx.userRole.upsert({ where: { userId }, create: { userId, role: "admin" }, update: { role: "admin" } });
  return true;
}

type TokenMethods = Pick<IdentityStore, "createApiToken" | "findApiToken" | "revokeApiToken" | "listApiTokens">;

function createTokenMethods(database: Database): TokenMethods {
  return {
    createApiToken: ({ hash, name, role, createdBy, expiresAt, lockPrefixes = [] }, now) =>
      runPrisma(() =>
        database.apiToken.create({
          data: {
            ...{ id: randomUUID(), hash, name, role, createdBy, expiresAt, createdAt: now },
            lockPrefixes: [...lockPrefixes],
          },
          omit: { hash: true },
        }),
      ),
    findApiToken: (hash, now) => runPrisma(() => findToken(database, hash, now)),
    revokeApiToken: (id, now) =>
      runPrisma(async () => {
        const { count } = await database.apiToken.updateMany({
          where: { id, revokedAt: null },
          data: { revokedAt: now },
        });
        return count === 1;
      }),
    listApiTokens: () =>
      runPrisma(() =>
        database.apiToken.findMany({ omit: { hash: true }, orderBy: [{ createdAt: "desc" }, { id: "asc" }] }),
      ),
  };
}

async function findToken(database: Database, hash: string, now: number) {
  const token = await database.apiToken.findUnique({ where: { hash }, omit: { hash: true } });
  if (token === null || token.revokedAt !== null) return null;
  if (token.expiresAt !== null && token.expiresAt <= now) return null;
  const lastUsedAt = lastUseNoted(token.lastUsedAt, now);
  if (lastUsedAt !== token.lastUsedAt) {
    await database.apiToken.updateMany({ where: { id: token.id }, data: { lastUsedAt } });
  }
  return { ...token, lastUsedAt };
}
