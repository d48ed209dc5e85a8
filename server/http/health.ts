import type { Hono } from "hono";
import { hasRole, identifyCaller } from "../auth/access.ts";
import type { AppEnv } from "./app.ts";
import { Problem } from "./problem.ts";
import type { HttpServices } from "./services.ts";

/** For supervisors and probes: alive, ready, and figures for Prometheus. */
export function healthRoutes(app: Hono<AppEnv>, services: HttpServices): void {
  app.get("/healthz", (c) => c.json({ status: "ok", version: services.version }));
  app.get("/readyz", (c) => {
    const ready = services.isReady();
    return c.json(
      { status: ready ? "ready" : "not-ready", store: services.control.system().storeAvailable },
      ready ? 200 : 503,
    );
  });
  app.get("/metrics", async (c) => {
    if (!(await mayReadMetrics(services, c.req.raw.headers, c.env.address))) {
      throw new Problem(401, "signed-out", "From another machine, metrics need a bearer token with the role viewer.");
    }
    const { contentType, text } = await services.metrics();
    return c.body(text, 200, { "content-type": contentType });
  });
}

/** A scraper on this machine needs no token; a proxy on it hides others, so it forwards their address and loses the privilege. */
async function mayReadMetrics(services: HttpServices, headers: Headers, address: string): Promise<boolean> {
  const isLocal = /^(127\.|::1$|::ffff:127\.)/.test(address) && headers.get("x-forwarded-for") === null;
  if (isLocal) return true;
  const signIn = services.signIn();
  if (signIn === null) return false;
  const { principal } = await identifyCaller(
    headers,
    signIn,
    services.identity,
    services.clock,
    services.localTokenHash(),
  );
  return hasRole(principal, "viewer");
}
