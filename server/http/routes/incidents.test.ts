import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
let headers: Record<string, string>;
beforeAll(async () => {
  server = await startTestServer();
  headers = { authorization: `Bearer ${await server.apiToken("admin")}`, "content-type": "application/json" };
});
afterAll(() => server.stop());

const put = (cause: string) =>
  fetch(`${server.url}/api/v1/cause-policy/${cause}`, {
    method: "PUT",
    headers,
    body: JSON.stringify({ mode: "automatic", above: 0.95 }),
  });

describe("the policy of causes", () => {
  it("holds for what the localizer names and for faults of hosts, and for nothing else", async () => {
    for (const cause of ["pool-exhausted", "disk-full", "overload"]) expect((await put(cause)).status).toBe(200);
    expect((await put("dead-primary")).status).toBe(404);
    const { causes } = (await (await fetch(`${server.url}/api/v1/cause-policy`, { headers })).json()) as {
      readonly causes: Readonly<Record<string, unknown>>;
    };
    expect(causes["disk-full"]).toEqual({ mode: "automatic", above: 0.95 });
    expect(causes["disk-filling"]).toEqual({ mode: "suggest", above: 0.9 });
  });
});

describe("a recovery", () => {
  it("of an incident that is not there is refused in words", async () => {
    const response = await fetch(`${server.url}/api/v1/incidents/INC-404/recover`, {
      method: "POST",
      headers,
      body: "{}",
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining("INC-404") });
  });
});
