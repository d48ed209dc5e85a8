import { createHmac, timingSafeEqual } from "node:crypto";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { generateSignedCookie } from "hono/cookie";
import type { Principal, ViewerGuard } from "../ports/access.ts";
import type { IdentityStore, UserRole } from "../ports/identity.ts";

export const minPasswordLength = 10;
export const maxPasswordLength = 200;
const sessionSeconds = 7 * 24 * 3600;

export interface SignInParts {
  readonly database: NonNullable<BetterAuthOptions["database"]>;
  readonly identity: IdentityStore;
  /** Signs cookies and CSRF tokens; the same after a restart. */
  readonly secret: string;
  readonly baseUrl: string;
  /** Cookies only over TLS. */
  readonly secure: boolean;
}

export type Created = { readonly ok: true; readonly userId: string } | { readonly ok: false; readonly code: string };

/** What a session cookie stands for. */
export interface SignedIn {
  readonly principal: Principal;
  readonly csrfToken: string;
}

/**
 * Sign-in by email and password, sessions in the database. better-auth does passwords, sessions and cookies underneath; roles
 * are our own table, and no route of better-auth is reachable from outside.
 */
export type SignIn = ReturnType<typeof createSignIn>;

export function createSignIn({ database, identity, secret, baseUrl, secure }: SignInParts) {
  const auth = createBetterAuth(database, secret, baseUrl, secure);
  const listeners = new Set<(userId: string) => void>();
  const announce = (userId: string): void => {
    for (const listener of listeners) listener(userId);
  };

  async function find(headers: Headers): Promise<SignedIn | null> {
    if (headers.get("cookie") === null) return null;
    const found = await auth.api.getSession({ headers });
    if (found === null) return null;
    const role = await identity.roleOf(found.user.id);
    const { id, name, email } = found.user;
    return { principal: { kind: "user", id, name, email, role }, csrfToken: csrfOf(secret, found.session.token) };
  }

  async function createUser(name: string, email: string, password: string): Promise<Created> {
    if (!isAcceptablePassword(password)) return { ok: false, code: "weak-password" };
    const context = await auth.$context;
    const address = email.toLowerCase();
    if ((await context.internalAdapter.findUserByEmail(address)) !== null) return { ok: false, code: "email-taken" };
    const user = await context.internalAdapter.createUser(
      { name, email: address, emailVerified: true },
      { method: "email-password" },
    );
    const hash = await context.password.hash(password);
    await context.internalAdapter.linkAccount({
      userId: user.id,
      providerId: "credential",
      accountId: user.id,
      password: hash,
    });
    return { ok: true, userId: user.id };
  }

  async function endAccess(userId: string): Promise<void> {
    await identity.endSessions(userId);
    announce(userId);
  }

  const guard: ViewerGuard = {
    identify: async (headers) => (await find(headers))?.principal ?? null,
    onAccessChanged: (listener) => {
      listeners.add(listener);
    },
  };

  return {
    guard,
    find,
    createUser,
    endAccess,
    /** Tells live connections that a user's rights changed. */
    announce,
    /** Cookies of the new session; null when email and password don't belong together. */
    async signIn(email: string, password: string): Promise<readonly string[] | null> {
      const response = await auth.api.signInEmail({
        body: { email: email.toLowerCase(), password, rememberMe: true },
        headers: new Headers({ origin: baseUrl }),
        asResponse: true,
      });
      return response.ok ? response.headers.getSetCookie() : null;
    },
    /** A session without a password: only behind a one-time link. */
    async openSession(userId: string): Promise<readonly string[]> {
      const context = await auth.$context;
      const session = await context.internalAdapter.createSession(userId, false);
      const { name, attributes } = context.authCookies.sessionToken;
      const cookie = await generateSignedCookie(name, session.token, context.secret, {
        path: attributes.path ?? "/",
        httpOnly: true,
        sameSite: "Lax",
        secure: attributes.secure ?? false,
        maxAge: sessionSeconds,
      });
      return [cookie];
    },
    async signOut(headers: Headers): Promise<readonly string[]> {
      const signedIn = await find(headers);
      const cookie = headers.get("cookie") ?? "";
      const response = await auth.api.signOut({ headers: new Headers({ cookie, origin: baseUrl }), asResponse: true });
      if (signedIn !== null) announce(signedIn.principal.id);
      return response.headers.getSetCookie();
    },
    async setPassword(userId: string, password: string): Promise<Created> {
      if (!isAcceptablePassword(password)) return { ok: false, code: "weak-password" };
      const context = await auth.$context;
      if ((await context.internalAdapter.findUserById(userId)) === null) return { ok: false, code: "unknown-user" };
      await context.internalAdapter.updatePassword(userId, await context.password.hash(password));
      await endAccess(userId);
      return { ok: true, userId };
    },
    /** The last administrator stays: `last-admin`. */
    async deleteUser(userId: string): Promise<Created> {
      const outcome = await identity.setRole(userId, null);
      if (outcome === "last-admin" || outcome === "unknown-user") return { ok: false, code: outcome };
      const context = await auth.$context;
      await endAccess(userId);
      await context.internalAdapter.deleteUser(userId);
      return { ok: true, userId };
    },
    async setRole(userId: string, role: UserRole | null): Promise<Created> {
      const outcome = await identity.setRole(userId, role);
      if (outcome === "last-admin" || outcome === "unknown-user") return { ok: false, code: outcome };
      if (outcome === "changed") announce(userId);
      return { ok: true, userId };
    },
  };
}

function createBetterAuth(
  database: NonNullable<BetterAuthOptions["database"]>,
  secret: string,
  baseUrl: string,
  secure: boolean,
) {
  return betterAuth({
    appName: "Holdfast",
    baseURL: baseUrl,
    trustedOrigins: [baseUrl],
    secret,
    database,
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength, maxPasswordLength },
    session: { expiresIn: sessionSeconds, updateAge: 24 * 3600, cookieCache: { enabled: false } },
    // Ours stands before it: by address and by email, over all of its routes.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: "holdfast",
      useSecureCookies: secure,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", secure },
    },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
}

/** Bound to the session: it ends with it, and can't be taken from another one. */
function csrfOf(secret: string, sessionToken: string): string {
  return createHmac("sha256", secret).update(`csrf|${sessionToken}`).digest("base64url");
}

/** Compares without telling by its duration how much was right. */
export function isSameSecret(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

function isAcceptablePassword(password: string): boolean {
  return password.length >= minPasswordLength && password.length <= maxPasswordLength;
}
