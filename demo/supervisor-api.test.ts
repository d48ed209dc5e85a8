import type { Server } from "node:http";
import { afterEach, expect, it } from "vitest";
import type { FaultRequest } from "./fault-names.ts";
import { serveSupervisor } from "./supervisor-api.ts";

const address = { host: "127.0.0.1", port: 23940 };
let server: Server | null = null;

afterEach(() => server?.close());

async function call(path: string, init: { token?: string; method?: string; body?: string; origin?: string } = {}) {
  const response = await fetch(`http://${address.host}:${address.port}${path}`, {
    method: init.method ?? "GET",
    headers: {
      authorization: `Bearer ${init.token ?? "secret"}`,
      ...(init.origin ? { origin: init.origin } : {}),
    },
    ...(init.body === undefined ? {} : { body: init.body }),
  });
  return { status: response.status, body: (await response.json()) as { error?: string; detail?: string } };
}

it("causes what was asked for by somebody with the token, and refuses everything else with a sentence", async () => {
  const asked: FaultRequest[] = [];
  server = await serveSupervisor(
    {
      token: "secret",
      nodes: () => ["pg-a", "pg-b"],
      cause: async (request) => {
        asked.push(request);
        if (request.fault === "ctl") throw new Error("Not now.");
        return { fault: request.fault, node: "pg-a", atMs: 1, detail: "done" };
      },
      recover: async (action, service) => `${action} ${service}`,
      redis: async (action) => ({ action }),
      readState: async () => ({ nodes: [] }),
    },
    address,
  );
  const post = (body: unknown, more: { token?: string; origin?: string } = {}) =>
    call("/faults", { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), ...more });

  expect(await post({ fault: "crash", node: "pg-b" })).toMatchObject({ status: 200, body: { detail: "done" } });
  expect(await post({ fault: "blip", ms: 500 })).toMatchObject({ status: 200 });
  expect(asked).toEqual([
    { fault: "crash", node: "pg-b" },
    { fault: "blip", ms: 500 },
  ]);

  expect((await post({ fault: "crash" }, { token: "wrong" })).status).toBe(401);
  expect((await post({ fault: "crash" }, { origin: "http://example.org" })).status).toBe(403);
  expect((await post({ fault: "explode" })).body.error).toContain("crash, pgkill");
  expect((await post({ fault: "crash", node: "pg-z" })).body.error).toContain("pg-a, pg-b");
  expect((await post({ fault: "blip", ms: -5 })).status).toBe(400);
  expect((await post("{ not json")).status).toBe(400);
  expect((await post(`"${"x".repeat(10_000)}"`)).status).toBe(400);
  expect(await post({ fault: "ctl" })).toEqual({ status: 409, body: { error: "Not now." } });
  expect((await call("/state")).status).toBe(200);
  expect((await call("/elsewhere")).status).toBe(404);
  expect(asked).toHaveLength(3);
});
