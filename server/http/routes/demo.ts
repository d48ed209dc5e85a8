import * as z from "zod/mini";
import { notFound, Problem } from "../problem.ts";
import { actorOf, audit, defineRoute, type Route } from "../route.ts";
import { nodeId } from "../schemas.ts";
import type { HttpServices } from "../services.ts";

const timeoutMs = 20_000;

/** The demo's faults as buttons: forwarded to its supervisor on loopback. Without a demo there is nothing here. */
export function demoRoutes(services: HttpServices): Route[] {
  return [
    defineRoute("GET /demo", {
      summary: "The demo's processes (in the demo only)",
      handle: () => forward(services, "GET", "/state", undefined),
    }),
    defineRoute("POST /demo/faults", {
      summary: "Cause one of the demo's faults (in the demo only)",
      body: z.object({
        fault: z.string().check(z.regex(/^[a-z]{1,20}$/)),
        node: z.optional(nodeId),
        ms: z.optional(z.int().check(z.gte(1), z.lte(600_000))),
      }),
      async handle({ body, principal }) {
        if (services.demo === null) throw notFound("demo", "demo");
        const after = { ...body };
        await audit(services, actorOf(principal), {
          verb: "demo-fault-caused",
          subject: `node:${body.node ?? "any"}`,
          after,
        });
        return forward(services, "POST", "/faults", body);
      },
    }),
  ];
}

async function forward(services: HttpServices, method: string, path: string, body: unknown): Promise<Response> {
  if (services.demo === null) throw notFound("demo", "demo");
  const answer = await fetch(`${services.demo.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${services.demo.token}`, "content-type": "application/json" },
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new Problem(502, "demo-silent", `The demo's supervisor did not answer (${String(error)}). Is it running?`);
  });
  const value = (await answer.json().catch(() => null)) as unknown;
  if (answer.ok) return Response.json(value ?? {});
  throw new Problem(409, "demo-refused", readError(value) ?? `The demo refused (${answer.status}).`);
}

function readError(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("error" in value)) return null;
  return typeof value.error === "string" ? value.error.slice(0, 500) : null;
}
