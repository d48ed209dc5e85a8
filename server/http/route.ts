import type * as z from "zod/mini";
import type { Actor, AuditDraft } from "../core/index.ts";
import type { Principal } from "../ports/access.ts";
import type { RouteKey } from "./permissions.ts";
import { Problem } from "./problem.ts";
import type { HttpServices } from "./services.ts";

type Schema = z.ZodMiniType;

/** One request, checked: the role is there, body and query have their shape. */
export interface RouteInput<Body, Query> {
  readonly services: HttpServices;
  /** Path parameter by name; it is there when the path names it. */
  param(name: string): string;
  readonly body: Body;
  readonly query: Query;
  readonly headers: Headers;
  readonly principal: Principal | null;
  readonly csrfToken: string | null;
  readonly address: string;
  /** Aborted when the caller has gone away. */
  readonly signal: AbortSignal;
}

/** JSON for 200, or a whole response. `undefined`: 204. */
export type RouteOutput = Response | object | undefined;

export interface Route {
  readonly key: RouteKey;
  readonly summary: string;
  readonly body: Schema | null;
  readonly query: Schema | null;
  handle(input: RouteInput<unknown, unknown>): Promise<RouteOutput> | RouteOutput;
}

interface RouteDraft<B extends Schema, Q extends Schema> {
  readonly summary: string;
  readonly body?: B;
  readonly query?: Q;
  handle(input: RouteInput<z.output<B>, z.output<Q>>): Promise<RouteOutput> | RouteOutput;
}

/** A route by its key in the permission table; its role stands there and nowhere else. */
export function defineRoute<B extends Schema = z.ZodMiniUndefined, Q extends Schema = z.ZodMiniUndefined>(
  key: RouteKey,
  draft: RouteDraft<B, Q>,
): Route {
  return {
    key,
    summary: draft.summary,
    body: draft.body ?? null,
    query: draft.query ?? null,
    // Body and query were checked against these very schemas before.
    handle: (input) => draft.handle(input as RouteInput<z.output<B>, z.output<Q>>),
  };
}

/** Who acts, for the core and the audit. Only behind a route that demands a role. */
export function actorOf(principal: Principal | null): Actor {
  if (principal === null || principal.role === null) throw new Problem(401, "signed-out", "Sign in first.");
  return { id: principal.id, name: principal.name, role: principal.role };
}

/** Audits what does not pass through the loop. */
export async function audit(
  services: HttpServices,
  actor: { readonly name: string; readonly role: string },
  entry: Pick<AuditDraft, "verb" | "subject"> & Partial<Pick<AuditDraft, "before" | "after" | "reason">>,
): Promise<void> {
  await services.reads.appendAudit({
    at: services.clock.wallMs(),
    actor: actor.name,
    actorRole: actor.role,
    verb: entry.verb,
    subject: entry.subject,
    before: entry.before ?? null,
    after: entry.after ?? null,
    reason: entry.reason ?? "",
  });
}
