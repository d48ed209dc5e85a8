import type { Principal } from "../ports/access.ts";
import type { Clock } from "../ports/clock.ts";
import type { IdentityStore, UserRole } from "../ports/identity.ts";
import { hashToken } from "../protocol/token-hash.ts";
import { isSameSecret, type SignIn } from "./sign-in.ts";

const rank: Readonly<Record<UserRole, number>> = { viewer: 1, operator: 2, admin: 3 };

/** viewer < operator < admin. Nobody without a role may do anything. */
export function hasRole(principal: Principal | null, needed: UserRole): boolean {
  return principal !== null && principal.role !== null && rank[principal.role] >= rank[needed];
}

export interface Caller {
  readonly principal: Principal | null;
  /** Null for tokens: they are not sent by a browser on its own, so no other site can abuse them. */
  readonly csrfToken: string | null;
}

/** Who makes this request: by bearer token or by session cookie, never by both. */
export async function identifyCaller(
  headers: Headers,
  signIn: SignIn,
  identity: IdentityStore,
  clock: Clock,
  localTokenHash: string | null,
): Promise<Caller> {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    return { principal: await byToken(authorization, identity, clock, localTokenHash), csrfToken: null };
  }
  const signedIn = await signIn.find(headers);
  return { principal: signedIn?.principal ?? null, csrfToken: signedIn?.csrfToken ?? null };
}

/** Whoever can read the server's own files is its administrator anyway: the token beside them says so to the command line. */
const localAdmin: Principal = { kind: "token", id: "token:local", name: "local", email: null, role: "admin" };

async function byToken(
  authorization: string,
  identity: IdentityStore,
  clock: Clock,
  localTokenHash: string | null,
): Promise<Principal | null> {
  const match = /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(authorization);
  if (match === null) return null;
  const hash = await hashToken(match[1] as string);
  if (localTokenHash !== null && isSameSecret(hash, localTokenHash)) return localAdmin;
  const token = await identity.findApiToken(hash, clock.wallMs());
  if (token === null) return null;
  const who = { kind: "token" as const, id: `token:${token.id}`, name: token.name, email: null };
  if (token.role !== "application") return { ...who, role: token.role };
  return { ...who, role: null, application: { lockPrefixes: token.lockPrefixes } };
}
