import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { describeRoute, openAPIRouteHandler } from "hono-openapi";
import * as z from "zod/mini";
import { isStoreUnavailable } from "../ports/store.ts";
import { guard } from "./guards.ts";
import { healthRoutes } from "./health.ts";
import { permissions, type RouteKey } from "./permissions.ts";
import { Problem, problemResponse } from "./problem.ts";
import { RateLimit } from "./rate-limit.ts";
import type { Route } from "./route.ts";
import { auditRoutes } from "./routes/audit.ts";
import { changeRoutes } from "./routes/changes.ts";
import { clusterRoutes } from "./routes/clusters.ts";
import { demoRoutes } from "./routes/demo.ts";
import { fleetRoutes } from "./routes/fleet.ts";
import { identityRoutes } from "./routes/identity.ts";
import { inDoubtRoutes } from "./routes/in-doubt.ts";
import { incidentRoutes } from "./routes/incidents.ts";
import { lockRoutes } from "./routes/locks.ts";
import { policyRoutes } from "./routes/policies.ts";
import { redisRoutes } from "./routes/redis.ts";
import { ringRoutes } from "./routes/rings.ts";
import { serviceRoutes } from "./routes/services.ts";
import { sessionRoutes } from "./routes/session.ts";
import { traceRoutes } from "./routes/traces.ts";
import type { HttpServices } from "./services.ts";

const maxBodyBytes = 64 * 1024;
const requestsPerSecond = 50;
const requestsBurst = 300;
/** Holders renew by themselves, many from one host. */
const lockRequestsPerSecond = 1_000;
const lockRequestsBurst = 3_000;

export type AppEnv = { Bindings: { readonly address: string }; Variables: { reference: string } };

/** The API: every route of the permission table, health, metrics and its own description. */
export function createApp(services: HttpServices): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const limit = new RateLimit(services.clock, requestsPerSecond, requestsBurst);
  const lockLimit = new RateLimit(services.clock, lockRequestsPerSecond, lockRequestsBurst);
  app.use("*", async (c, next) => {
    c.set("reference", randomUUID().slice(0, 8));
    await next();
    c.header("x-request-id", c.get("reference"));
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "same-origin");
  });
  app.use("/api/*", async (c, next) => {
    const isLock = c.req.path.startsWith("/api/v1/locks/");
    const waitSeconds = (isLock ? lockLimit : limit).take(c.env.address);
    if (waitSeconds > 0) {
      throw new Problem(
        429,
        "too-many-requests",
        "Too many requests from this address.",
        {},
        { "retry-after": String(waitSeconds) },
      );
    }
    await next();
  });
  app.use(
    "/api/*",
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new Problem(413, "too-large", `A request may have ${maxBodyBytes} bytes.`);
      },
    }),
  );
  for (const route of collectRoutes(services)) mount(app, services, route);
  app.get("/api/openapi.json", describeApi(app, services));
  healthRoutes(app, services);
  app.notFound((c) =>
    problemResponse(
      new Problem(404, "not-found", `There is nothing at ${c.req.path.slice(0, 100)}.`),
      c.get("reference"),
    ),
  );
  app.onError((error, c) => answerError(services, error, c));
  return app;
}

/** Every key of the table has exactly one handler: otherwise the server does not start. */
export function collectRoutes(services: HttpServices): Route[] {
  const routes = [
    ...sessionRoutes(services),
    ...fleetRoutes(services),
    ...clusterRoutes(services),
    ...redisRoutes(services),
    ...incidentRoutes(services),
    ...serviceRoutes(services),
    ...traceRoutes(services),
    ...inDoubtRoutes(services),
    ...lockRoutes(services),
    ...ringRoutes(services),
    ...changeRoutes(services),
    ...policyRoutes(services),
    ...auditRoutes(services),
    ...identityRoutes(services),
    ...demoRoutes(services),
  ];
  const keys = new Set(routes.map((route) => route.key));
  const missing = (Object.keys(permissions) as RouteKey[]).filter((key) => !keys.has(key));
  if (missing.length > 0 || keys.size !== routes.length) {
    throw new Error(`routes and the permission table differ: ${missing.join(", ") || "a route has two handlers"}`);
  }
  return routes;
}

function mount(app: Hono<AppEnv>, services: HttpServices, route: Route): void {
  const [method, path] = route.key.split(" ") as [string, string];
  const required = permissions[route.key];
  app.on(method, `/api/v1${path}`, describeOperation(route), async (c) => {
    const caller = await guard(services, c.req.raw, required);
    const output = await route.handle({
      services,
      param: (name) => c.req.param(name) ?? "",
      body: route.body === null ? undefined : check(route.body, await readJson(c.req.raw), "body"),
      query: route.query === null ? undefined : check(route.query, c.req.query(), "query"),
      headers: c.req.raw.headers,
      principal: caller.principal,
      csrfToken: caller.csrfToken,
      address: c.env.address,
      signal: c.req.raw.signal,
    });
    if (output === undefined) return c.body(null, 204);
    if (output instanceof Response) return output;
    c.header("cache-control", "no-store");
    return c.json(output as Record<string, unknown>);
  });
}

async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new Problem(415, "not-json", "Send JSON with content-type: application/json.");
  try {
    return (await request.json()) as unknown;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "not-json", "The body is not valid JSON.");
  }
}

function check<T>(schema: z.ZodMiniType<T>, value: unknown, where: string): T {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = [where, ...(issue?.path ?? [])].map(String).join(".").slice(0, 100);
  throw new Problem(400, "invalid", `${path}: ${issue?.message ?? "invalid"}.`, { path });
}

function answerError(services: HttpServices, error: unknown, c: Context<AppEnv>): Response {
  const reference = c.get("reference") ?? randomUUID().slice(0, 8);
  if (error instanceof Problem) return problemResponse(error, reference);
  if (isStoreUnavailable(error)) {
    const detail = "The database can't be reached. What is live is still shown; try again when the banner is gone.";
    return problemResponse(new Problem(503, "store-unavailable", detail, {}, { "retry-after": "2" }), reference);
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  services.log("error", "A request failed.", { reference, method: c.req.method, path: c.req.path, stack });
  const detail = `The server could not answer. Its log has the details under ${reference}.`;
  return problemResponse(new Problem(500, "internal", detail), reference);
}

function describeOperation(route: Route) {
  const required = permissions[route.key];
  return describeRoute({
    summary: route.summary,
    description: required === "public" ? "Needs no sign-in." : `Needs the role ${required}.`,
    tags: [route.key.split("/")[1] ?? ""],
    security: required === "public" ? [] : [{ token: [] }, { session: [] }],
    ...(route.query === null ? {} : { parameters: describeQuery(route.query) }),
    ...(route.body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: describeSchema(route.body) as never } },
          },
        }),
    responses: {
      200: { description: "Done", content: { "application/json": { schema: {} } } },
      default: {
        description: "Refused (problem details, RFC 9457)",
        content: { "application/problem+json": { schema: {} } },
      },
    },
  });
}

function describeSchema(schema: z.ZodMiniType) {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

function describeQuery(schema: z.ZodMiniType) {
  const json = describeSchema(schema);
  const required = new Set(json.required ?? []);
  return Object.entries(json.properties ?? {}).map(([name, property]) => ({
    name,
    in: "query" as const,
    required: required.has(name),
    schema: property as never,
  }));
}

function describeApi(app: Hono<AppEnv>, services: HttpServices) {
  return openAPIRouteHandler(app, {
    documentation: {
      openapi: "3.1.0",
      info: { title: "Holdfast", version: services.version, description: "Detects faults, explains them, recovers." },
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer" },
          session: { type: "apiKey", in: "cookie", name: "holdfast.session_token" },
        },
      },
    },
  });
}
