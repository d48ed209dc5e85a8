import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { action } from "../../store/testing/fixtures.ts";
import { startTestServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe("an action", () => {
  it("is found in the store when memory has forgotten it", async () => {
    const headers = { authorization: `Bearer ${await server.apiToken("viewer")}` };
    const read = (id: string) => fetch(`${server.url}/api/v1/actions/${id}`, { headers });
    server.stores.tables.actions.set("ACT-old", action("ACT-old", { phase: "done", endedAt: 1 }));
    const response = await read("ACT-old");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ entity: "action", id: "ACT-old", phase: "done" });
    expect((await read("ACT-none")).status).toBe(404);
  });
});
