import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KeyLocationView, KeySpacePlanView, KeySpaceView } from "../../protocol/index.ts";
import { startTestServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
let call: <T>(method: string, path: string, body?: object) => Promise<{ status: number; body: T }>;
beforeAll(async () => {
  server = await startTestServer();
  const headers = {
    authorization: `Bearer ${await server.apiToken("operator")}`,
    "content-type": "application/json",
  };
  call = async (method, path, body) => {
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${server.url}/api/v1/${path}`, init);
    return { status: response.status, body: (await response.json()) as never };
  };
});
afterAll(() => server.stop());

const nodes = ["a", "b", "c", "d"].map((id, i) => ({ id, zone: i < 2 ? "east" : "west" }));

describe("key spaces", () => {
  it("are registered, asked, planned and changed", async () => {
    const registered = await call("POST", "rings", { id: "carts", nodes, copies: 2, keys: 1_000_000, reason: "new" });
    expect(registered).toEqual({ status: 201, body: { epoch: 1 } });
    expect(await call("POST", "rings", { id: "carts", nodes, reason: "again" })).toMatchObject({
      status: 409,
      body: { code: "key-space-exists" },
    });

    const list = await call<{ items: KeySpaceView[] }>("GET", "rings");
    expect(list.body.items).toHaveLength(1);
    expect(list.body.items[0]!.ownership.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect(list.body.items[0]!.balance).toBeLessThanOrEqual(1.02);

    const found = await call<KeyLocationView>("GET", "rings/carts/locate?key=cart%3A8841");
    expect(found.body.copies).toHaveLength(2);
    expect(found.body.walk[0]).toMatchObject({ node: found.body.owner, copy: 1, why: "owner" });
    const zoneOf = (id: string) => nodes.find((node) => node.id === id)?.zone;
    expect(new Set(found.body.copies.map(zoneOf))).toEqual(new Set(["east", "west"]));

    const changes = [{ kind: "drain", id: "d" }];
    const plan = await call<KeySpacePlanView>("POST", "rings/carts/plan", { changes });
    expect(plan.body).toMatchObject({ epoch: 1, command: "holdfast ring plan carts --drain d" });
    expect(plan.body.minimalShare).toBeLessThanOrEqual(plan.body.movedShare);
    expect(plan.body.moduloShare).toBeCloseTo(0.75);
    expect(plan.body.keysMoved).toBe(Math.round(1_000_000 * plan.body.movedShare));

    const apply = { changes, planHash: plan.body.planHash, reason: "d retires" };
    expect(await call("POST", "rings/carts/apply", { ...apply, confirm: "else" })).toMatchObject({
      status: 400,
      body: { code: "confirm" },
    });
    expect(await call("POST", "rings/carts/apply", { ...apply, confirm: "carts" })).toEqual({
      status: 200,
      body: { epoch: 2 },
    });
    expect(await call("POST", "rings/carts/apply", { ...apply, confirm: "carts" })).toMatchObject({
      body: { code: "plan-changed" },
    });
    const after = await call<KeySpaceView>("GET", "rings/carts");
    expect(after.body).toMatchObject({ epoch: 2, reason: "d retires", previous: [{ epoch: 1, reason: "new" }] });
    expect(after.body.ownership.find(({ id }) => id === "d")?.share).toBe(0);
  });

  it("say in a plan why a change can't be made", async () => {
    const unknown = await call("POST", "rings/carts/plan", { changes: [{ kind: "drain", id: "x" }] });
    expect(unknown).toMatchObject({ status: 409, body: { code: "node-unknown", data: { node: "x" } } });
    expect(await call("GET", "rings/none")).toMatchObject({ status: 404, body: { code: "unknown-key-space" } });
    expect(await call("GET", "rings/carts/locate")).toMatchObject({ status: 400 });
  });

  it("are counted and removed", async () => {
    expect((await call("PUT", "rings/carts/counts", { keys: 5, bytes: 10 })).status).toBe(200);
    expect((await call<KeySpaceView>("GET", "rings/carts")).body).toMatchObject({ keys: 5, bytes: 10, epoch: 2 });
    expect((await call("DELETE", "rings/carts", { reason: "over", confirm: "carts" })).status).toBe(200);
    expect((await call("GET", "rings/carts")).status).toBe(404);
  });
});
