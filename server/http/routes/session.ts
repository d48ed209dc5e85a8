import * as z from "zod/mini";
import type { SignIn } from "../../auth/sign-in.ts";
import type { SessionView } from "../../protocol/index.ts";
import { Problem } from "../problem.ts";
import { RateLimit } from "../rate-limit.ts";
import { audit, defineRoute, type Route } from "../route.ts";
import { displayName, email, oneTimeToken, password } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const onceAdmin = { name: "admin", email: "admin@holdfast.local" };

/** Signing in and out, and the two one-time links. */
export function sessionRoutes(services: HttpServices): Route[] {
  // Ten tries at once, then one in thirty seconds: by address, and by account whatever the address. The one-time links belong to nobody
  // yet: a count for all addresses together would let a stranger keep them shut.
  const byAddress = new RateLimit(services.clock, 1 / 30, 20);
  const byAccount = new RateLimit(services.clock, 1 / 30, 10);
  const slowDown = (address: string, account: string): void => {
    const waitSeconds = Math.max(byAddress.take(address), byAccount.take(account));
    if (waitSeconds === 0) return;
    const detail = `Too many attempts. Try again in ${waitSeconds} s.`;
    throw new Problem(429, "too-many-attempts", detail, { waitSeconds }, { "retry-after": String(waitSeconds) });
  };
  const adminKnown = rememberAdmin(services);

  return [
    defineRoute("GET /session", {
      summary: "Who is signed in, and whether anybody exists yet",
      async handle({ principal, csrfToken }): Promise<SessionView> {
        const setupNeeded = services.signIn() !== null && !(await adminKnown());
        if (principal === null || principal.role === null) return { user: null, setupNeeded, csrfToken };
        const { id, name, role } = principal;
        return { user: { id, name, email: principal.email ?? "", role }, setupNeeded, csrfToken };
      },
    }),
    defineRoute("POST /setup", {
      summary: "Make the first administrator with the one-time set-up link, and sign in",
      body: z.object({ token: oneTimeToken, name: displayName, email, password }),
      async handle({ body, address }) {
        slowDown(address, `setup ${address}`);
        const signIn = demandSignIn(services);
        if (await adminKnown()) throw new Problem(409, "already-set-up", "An administrator exists. Sign in instead.");
        if (!services.setupTokens.consume(body.token)) {
          throw new Problem(403, "link-used", "This link was used or has run out. Restart the server for a new one.");
        }
        const created = await signIn.createUser(body.name, body.email, body.password);
        if (!created.ok) {
          // The link was good; only the form was not.
          services.setupTokens.issue(body.token);
          throw userProblem(created.code);
        }
        await becomeAdmin(services, created.userId, body.name);
        return withCookies(await signIn.openSession(created.userId));
      },
    }),
    defineRoute("POST /sign-in", {
      summary: "Sign in by email and password",
      body: z.object({ email, password }),
      async handle({ body, address }) {
        slowDown(address, body.email.toLowerCase());
        const cookies = await demandSignIn(services).signIn(body.email, body.password);
        if (cookies === null) {
          await audit(services, { name: body.email, role: "none" }, { verb: "sign-in-failed", subject: "session" });
          throw new Problem(401, "wrong-credentials", "Email and password don't belong together.");
        }
        await audit(services, { name: body.email, role: "user" }, { verb: "signed-in", subject: "session" });
        return withCookies(cookies);
      },
    }),
    defineRoute("POST /sign-in/once", {
      summary: "Sign in as the administrator with a one-time link",
      body: z.object({ token: oneTimeToken }),
      async handle({ body, address }) {
        slowDown(address, `once ${address}`);
        const signIn = demandSignIn(services);
        if (!services.signInTokens.consume(body.token)) {
          throw new Problem(
            403,
            "link-used",
            "This link was used or has run out. Make a new one: `holdfast token sign-in`.",
          );
        }
        const userId = await findOrMakeAdmin(services, signIn);
        await audit(services, { name: onceAdmin.name, role: "admin" }, { verb: "signed-in-once", subject: "session" });
        return withCookies(await signIn.openSession(userId));
      },
    }),
    defineRoute("POST /sign-out", {
      summary: "End this session",
      async handle({ headers, principal }) {
        const cookies = await demandSignIn(services).signOut(headers);
        if (principal !== null) {
          const actor = { name: principal.name, role: principal.role ?? "none" };
          await audit(services, actor, { verb: "signed-out", subject: "session" });
        }
        return withCookies(cookies);
      },
    }),
  ];
}

/** Once there is an administrator there always is one: the last can't be removed. */
function rememberAdmin(services: HttpServices): () => Promise<boolean> {
  let known = false;
  return async () => {
    known ||= (await services.identity.listUsers()).some((user) => user.role === "admin");
    return known;
  };
}

export function demandSignIn(services: HttpServices): SignIn {
  const signIn = services.signIn();
  if (signIn !== null) return signIn;
  throw new Problem(503, "store-unavailable", "The database was not reached yet. Try again in a moment.");
}

export function userProblem(code: string): Problem {
  switch (code) {
    case "weak-password":
      return new Problem(400, code, "Choose a password of 10 to 200 characters.", { least: 10, most: 200 });
    case "email-taken":
      return new Problem(409, code, "Somebody with this email exists.");
    case "last-admin":
      return new Problem(409, code, "This is the last administrator. Make another one first.");
    case "unknown-user":
      return new Problem(404, code, "There is no such user.");
    default:
      return new Problem(409, code, `Refused: ${code}.`);
  }
}

async function becomeAdmin(services: HttpServices, userId: string, name: string): Promise<void> {
  if (!(await services.identity.claimFirstAdmin(userId))) {
    throw new Problem(409, "already-set-up", "Somebody else became the administrator just now. Sign in instead.");
  }
  await audit(services, { name, role: "admin" }, { verb: "first-admin-made", subject: `user:${userId}` });
}

async function findOrMakeAdmin(services: HttpServices, signIn: SignIn): Promise<string> {
  const admin = (await services.identity.listUsers()).find((user) => user.role === "admin");
  if (admin !== undefined) return admin.id;
  const created = await signIn.createUser(onceAdmin.name, onceAdmin.email, services.clock.entropy());
  if (!created.ok) throw userProblem(created.code);
  await becomeAdmin(services, created.userId, onceAdmin.name);
  return created.userId;
}

function withCookies(cookies: readonly string[]): Response {
  const headers = new Headers({ "content-type": "application/json", "cache-control": "no-store" });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response("{}", { status: 200, headers });
}
