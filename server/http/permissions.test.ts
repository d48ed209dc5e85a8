import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../testing/start-server.ts";
import { permissions, type RequiredRole, type RouteKey } from "./permissions.ts";

const roles = ["nobody", "application", "viewer", "operator", "admin"] as const;
const rank: Readonly<Record<(typeof roles)[number], number>> = {
  nobody: 0,
  application: 0,
  viewer: 1,
  operator: 2,
  admin: 3,
};
const needed: Readonly<Record<RequiredRole, number>> = { public: 0, application: 2, viewer: 1, operator: 2, admin: 3 };
const may = (role: (typeof roles)[number], required: RequiredRole): boolean =>
  rank[role] >= needed[required] || (role === "application" && required === "application");
const keys = Object.keys(permissions) as RouteKey[];

let server: TestServer;
const tokens = new Map<string, string>();

beforeAll(async () => {
  server = await startTestServer();
  for (const role of roles) if (role !== "nobody") tokens.set(role, await server.apiToken(role));
});
afterAll(() => server.stop());

/** Asks until the server has time: routes times roles are more than an address may ask for in a burst. */
async function patiently(url: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const response = await fetch(url, init);
    if (response.status !== 429) return response;
    await response.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function ask(method: string, path: string, role: string): Promise<Response> {
  const token = tokens.get(role);
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const isChange = method !== "GET";
  if (isChange) headers["content-type"] = "application/json";
  // An empty body: whoever may pass is refused for it, and nothing is changed by the walk.
  return patiently(`${server.url}/api/v1${path}`, { method, headers, ...(isChange ? { body: "[]" } : {}) });
}

describe("the permission table", () => {
  it.each(keys)("%s: every role", async (key) => {
    const [method, path] = key.split(" ") as [string, string];
    for (const role of roles) {
      const response = await ask(method, path.replace(":id", "none"), role);
      const label = `${key} as ${role}: ${response.status}`;
      await response.arrayBuffer();
      if (may(role, permissions[key])) expect([401, 403], label).not.toContain(response.status);
      else expect(response.status, label).toBe(role === "application" ? 403 : rank[role] === 0 ? 401 : 403);
      expect(response.status, label).not.toBe(500);
    }
  });

  it("knows no other route, for nobody", async () => {
    for (const [method, path] of [
      ["GET", "/nothing"],
      ["POST", "/nodes"],
      ["DELETE", "/clusters/orders"],
      ["PATCH", "/session"],
      ["GET", "/auth/sign-up/email"],
    ] as const) {
      expect((await ask(method, path, "admin")).status, `${method} ${path}`).toBe(404);
    }
    expect((await patiently(`${server.url}/api/auth/sign-up/email`, { method: "POST" })).status).toBe(404);
    expect((await patiently(`${server.url}/nothing`, { method: "POST" })).status).toBeGreaterThanOrEqual(400);
  });

  it("describes every route in OpenAPI 3.1, with its role and its body", async () => {
    const response = await patiently(`${server.url}/api/openapi.json`);
    const document = (await response.json()) as {
      openapi: string;
      paths: Record<
        string,
        Record<
          string,
          { description: string; requestBody?: { content: Record<string, { schema: { properties?: object } }> } }
        >
      >;
    };
    expect(document.openapi).toBe("3.1.0");
    for (const key of keys) {
      const [method, path] = key.split(" ") as [string, string];
      const operation = document.paths[`/api/v1${path.replace(":id", "{id}")}`]?.[method.toLowerCase()];
      const role: string = permissions[key];
      expect(operation?.description, key).toContain(role === "public" ? "no sign-in" : `role ${role}`);
    }
    const action = document.paths["/api/v1/clusters/{id}/actions"]?.post;
    expect(Object.keys(action?.requestBody?.content["application/json"]?.schema.properties ?? {})).toContain(
      "planHash",
    );
  });

  it("is the only place that names roles: no route does", () => {
    for (const name of ["fleet", "clusters", "incidents", "audit", "session", "demo"]) {
      const source = readFileSync(new URL(`./routes/${name}.ts`, import.meta.url), "utf8");
      expect(source, name).not.toMatch(/hasRole|"operator"/);
    }
  });
});
