import { randomBytes } from "node:crypto";
import * as z from "zod/mini";
import { hashToken } from "../../protocol/token-hash.ts";
import { Problem } from "../problem.ts";
import { actorOf, audit, defineRoute, type Route } from "../route.ts";
import { displayName, email, lockName, nodeId, password, role, tokenRole } from "../schemas.ts";
import type { HttpServices } from "../services.ts";
import { demandSignIn, userProblem } from "./session.ts";

const hourMs = 3_600_000;
const maxTokenDays = 366;

export function identityRoutes(services: HttpServices): Route[] {
  return [...userRoutes(services), ...tokenRoutes(services), ...enrolmentRoutes(services)];
}

function userRoutes(services: HttpServices): Route[] {
  const { identity } = services;
  return [
    defineRoute("GET /users", {
      summary: "All users",
      handle: async () => ({ items: await identity.listUsers() }),
    }),
    defineRoute("POST /users", {
      summary: "Add a user with a role and a first password",
      body: z.object({ name: displayName, email, password, role }),
      async handle({ body, principal }) {
        const signIn = demandSignIn(services);
        const created = await signIn.createUser(body.name, body.email, body.password);
        if (!created.ok) throw userProblem(created.code);
        await signIn.setRole(created.userId, body.role);
        const after = { name: body.name, email: body.email, role: body.role };
        await audit(services, actorOf(principal), { verb: "user-added", subject: `user:${created.userId}`, after });
        return Response.json({ id: created.userId }, { status: 201 });
      },
    }),
    defineRoute("DELETE /users/:id", {
      summary: "Remove a user and end all of its sessions",
      async handle({ param, principal }) {
        const outcome = await demandSignIn(services).deleteUser(param("id"));
        if (!outcome.ok) throw userProblem(outcome.code);
        await audit(services, actorOf(principal), { verb: "user-removed", subject: `user:${param("id")}` });
        return undefined;
      },
    }),
    defineRoute("PUT /users/:id/role", {
      summary: "Give or take a role; every session of the user ends",
      body: z.object({ role: z.nullable(role) }),
      async handle({ param, body, principal }) {
        const outcome = await demandSignIn(services).setRole(param("id"), body.role);
        if (!outcome.ok) throw userProblem(outcome.code);
        const after = { role: body.role };
        await audit(services, actorOf(principal), { verb: "role-changed", subject: `user:${param("id")}`, after });
        return undefined;
      },
    }),
    defineRoute("POST /users/:id/password", {
      summary: "Set a user's password; every session of the user ends",
      body: z.object({ password }),
      async handle({ param, body, principal }) {
        const outcome = await demandSignIn(services).setPassword(param("id"), body.password);
        if (!outcome.ok) throw userProblem(outcome.code);
        await audit(services, actorOf(principal), { verb: "password-set", subject: `user:${param("id")}` });
        return undefined;
      },
    }),
    defineRoute("POST /sign-in-links", {
      summary: "Make a one-time link that signs in as the administrator",
      async handle({ principal }) {
        const token = services.signInTokens.issue();
        await audit(services, actorOf(principal), { verb: "sign-in-link-made", subject: "session" });
        return Response.json({ url: `${services.baseUrl}/sign-in#once=${token}` }, { status: 201 });
      },
    }),
  ];
}

function tokenRoutes(services: HttpServices): Route[] {
  const { identity, clock } = services;
  return [
    defineRoute("GET /tokens", {
      summary: "All API tokens; the tokens themselves are not kept",
      handle: async () => ({ items: await identity.listApiTokens() }),
    }),
    defineRoute("POST /tokens", {
      summary: "Make an API token; it is shown this once",
      body: z.object({
        name: displayName,
        role: tokenRole,
        expiresInDays: z._default(z.nullable(z.int().check(z.gte(1), z.lte(maxTokenDays))), null),
        /** Only for applications: names of locks begin with one of these. */
        lockPrefixes: z._default(z.array(lockName).check(z.maxLength(32)), []),
      }),
      async handle({ body, principal }) {
        const actor = actorOf(principal);
        const token = `hf_${randomBytes(32).toString("base64url")}`;
        const now = clock.wallMs();
        const expiresAt = body.expiresInDays === null ? null : now + body.expiresInDays * 24 * hourMs;
        const draft = {
          hash: await hashToken(token),
          name: body.name,
          role: body.role,
          createdBy: actor.name,
          expiresAt,
          lockPrefixes: body.lockPrefixes,
        };
        const record = await identity.createApiToken(draft, now);
        const after = { name: body.name, role: body.role, expiresAt, lockPrefixes: body.lockPrefixes };
        await audit(services, actor, { verb: "token-made", subject: `token:${record.id}`, after });
        return Response.json({ ...record, token }, { status: 201 });
      },
    }),
    defineRoute("DELETE /tokens/:id", {
      summary: "Revoke an API token",
      async handle({ param, principal }) {
        if (!(await identity.revokeApiToken(param("id"), clock.wallMs()))) {
          throw new Problem(404, "unknown-token", "There is no such token, or it was revoked before.");
        }
        await audit(services, actorOf(principal), { verb: "token-revoked", subject: `token:${param("id")}` });
        return undefined;
      },
    }),
  ];
}

function enrolmentRoutes(services: HttpServices): Route[] {
  const { directory, clock } = services;
  return [
    defineRoute("GET /enrolment-tokens", {
      summary: "Enrolment tokens that were made, from the audit",
      async handle() {
        const page = await services.reads.audit({ limit: 200, subject: "enrolment-token" });
        return { items: page.items.map(({ at, actor, after }) => ({ at, actor, ...after })) };
      },
    }),
    defineRoute("POST /enrolment-tokens", {
      summary: "Make a token with which one agent may enrol within the hour; it is shown this once",
      body: z.object({
        node: z._default(z.nullable(nodeId), null),
        labels: z._default(
          z.record(z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,64}$/)), z.string().check(z.maxLength(200))),
          {},
        ),
        expiresInMinutes: z._default(z.int().check(z.gte(1), z.lte(60)), 60),
      }),
      async handle({ body, principal }) {
        const actor = actorOf(principal);
        const token = randomBytes(32).toString("base64url");
        const expiresAt = clock.wallMs() + body.expiresInMinutes * 60_000;
        const { node, labels } = body;
        await directory.createEnrolmentToken({
          hash: await hashToken(token),
          labels,
          node,
          expiresAt,
          createdBy: actor.name,
        });
        const after = { node, labels, expiresAt };
        await audit(services, actor, { verb: "enrolment-token-made", subject: "enrolment-token", after });
        const { publicKey } = await directory.serverKey();
        return Response.json({ token, node, labels, expiresAt, serverKey: publicKey }, { status: 201 });
      },
    }),
  ];
}
