import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { FeedFrame, SessionView } from "../protocol/index.ts";
import { startTestServer, type TestServer } from "../testing/start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

interface Browser {
  readonly cookie: string;
  readonly csrf: string;
}

async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  method = "POST",
): Promise<Response> {
  return fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { "content-type": "application/json", origin: server.url, ...headers },
    body: JSON.stringify(body),
  });
}

function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((each) => each.split(";")[0])
    .join("; ");
}

async function readSession(cookie: string): Promise<SessionView> {
  return (await (await fetch(`${server.url}/api/v1/session`, { headers: { cookie } })).json()) as SessionView;
}

async function asBrowser(response: Response): Promise<Browser> {
  expect(response.status).toBe(200);
  const cookie = cookieOf(response);
  return { cookie, csrf: (await readSession(cookie)).csrfToken ?? "" };
}

const as = ({ cookie, csrf }: Browser) => ({ cookie, "x-csrf-token": csrf });
const form = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };
let admin: Browser;

describe("the first start", () => {
  it("needs set-up, and takes it once, by the link", async () => {
    expect(await readSession("")).toMatchObject({ user: null, setupNeeded: true });
    expect((await post("/setup", { ...form, token: "guessed" })).status).toBe(403);
    const weak = await post("/setup", { ...form, password: "short", token: "set-up-once" });
    expect(await weak.json()).toMatchObject({ status: 400, code: "weak-password" });
    admin = await asBrowser(await post("/setup", { ...form, token: "set-up-once" }));
    expect(await readSession(admin.cookie)).toMatchObject({ user: { name: "Ada", role: "admin" }, setupNeeded: false });
    expect((await post("/setup", { ...form, token: "set-up-once" })).status).toBe(409);
  });

  it("lets a one-time link sign in once", async () => {
    const once = await asBrowser(await post("/sign-in/once", { token: "sign-in-once" }));
    expect((await readSession(once.cookie)).user?.role).toBe("admin");
    expect((await post("/sign-in/once", { token: "sign-in-once" })).status).toBe(403);
  });
});

describe("a session", () => {
  it("is opened by email and password, and by nothing else", async () => {
    expect((await post("/sign-in", { email: form.email, password: "wrong" })).status).toBe(401);
    expect((await post("/sign-in", { email: "nobody@example.org", password: form.password })).status).toBe(401);
    const { cookie } = await asBrowser(await post("/sign-in", { email: "ADA@example.org", password: form.password }));
    const forged = cookie.replace(/=.{4}/, "=AAAA");
    expect((await fetch(`${server.url}/api/v1/nodes`, { headers: { cookie: forged } })).status).toBe(401);
  });

  it("changes nothing without its own CSRF token and the exact origin", async () => {
    const body = { name: "x", role: "viewer" };
    const cases: readonly [string, Record<string, string>][] = [
      ["no token", { cookie: admin.cookie }],
      ["a wrong token", { cookie: admin.cookie, "x-csrf-token": "AAAA" }],
      ["another origin", { ...as(admin), origin: "https://evil.example" }],
      ["an origin that looks alike", { ...as(admin), origin: `${server.url}.evil.example` }],
      ["the origin null", { ...as(admin), origin: "null" }],
    ];
    for (const [title, headers] of cases) expect((await post("/tokens", body, headers)).status, title).toBe(403);
    const noOrigin = await fetch(`${server.url}/api/v1/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json", ...as(admin) },
      body: JSON.stringify(body),
    });
    expect(noOrigin.status).toBe(403);
    expect((await post("/tokens", body, as(admin))).status).toBe(201);
  });

  it("takes JSON only, of a bounded size", async () => {
    const plain = await fetch(`${server.url}/api/v1/tokens`, {
      method: "POST",
      headers: { "content-type": "text/plain", origin: server.url, ...as(admin) },
      body: '{"name":"x","role":"viewer"}',
    });
    expect(plain.status).toBe(415);
    expect((await post("/tokens", { name: "x".repeat(100_000), role: "viewer" }, as(admin))).status).toBe(413);
    const wrong = await post("/tokens", { name: "x", role: "root" }, as(admin));
    expect(await wrong.json()).toMatchObject({ status: 400, code: "invalid", data: { path: "body.role" } });
  });

  it("ends when the role or the password changes, and its live connection with it", async () => {
    const person = { name: "Bob", email: "bob@example.org", password: "bob's long password", role: "operator" };
    const { id } = (await (await post("/users", person, as(admin))).json()) as { id: string };
    const bob = await asBrowser(await post("/sign-in", person));
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/live`, {
      headers: { cookie: bob.cookie, origin: server.url },
    });
    const frames: FeedFrame[] = [];
    socket.on("message", (data) => frames.push(JSON.parse(String(data)) as FeedFrame));
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send(JSON.stringify({ t: "resume", cursor: null }));
    await expect.poll(() => frames[0]?.t).toBe("snapshot");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    expect((await post(`/users/${id}/role`, { role: "viewer" }, as(admin), "PUT")).status).toBe(204);
    expect(await closed).toBe(4001);
    expect(frames.at(-1)).toMatchObject({ t: "ended" });
    expect((await readSession(bob.cookie)).user).toBe(null);

    const again = await asBrowser(await post("/sign-in", person));
    await post(`/users/${id}/password`, { password: "another long password" }, as(admin));
    expect((await readSession(again.cookie)).user).toBe(null);
    expect((await post("/sign-in", person)).status).toBe(401);
    expect((await post(`/users/${id}`, {}, as(admin), "DELETE")).status).toBe(204);
  });

  it("keeps the last administrator", async () => {
    const users = (await (await fetch(`${server.url}/api/v1/users`, { headers: { cookie: admin.cookie } })).json()) as {
      items: { id: string; role: string }[];
    };
    const [first] = users.items.filter((user) => user.role === "admin");
    const last = await post(`/users/${first?.id}/role`, { role: null }, as(admin), "PUT");
    expect(await last.json()).toMatchObject({ status: 409, code: "last-admin" });
  });

  it("ends at sign-out", async () => {
    const browser = await asBrowser(await post("/sign-in", { email: form.email, password: form.password }));
    expect((await post("/sign-out", {}, as(browser))).status).toBe(200);
    expect((await readSession(browser.cookie)).user).toBe(null);
    const { items } = await server.stores.reads.audit({ limit: 1 });
    expect(items).toMatchObject([{ verb: "signed-out", actor: "Ada", actorRole: "admin" }]);
  });

  it("slows down guessing", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      statuses.push((await post("/sign-in", { email: "victim@example.org", password: `guess-${i}` })).status);
    }
    expect(statuses.at(-1)).toBe(429);
  });
});

describe("the one-time links", () => {
  /** From another address of this machine, which `fetch` can't choose. */
  function guess(path: string, localAddress: string): Promise<number> {
    const { hostname, port } = new URL(server.url);
    const body = JSON.stringify({ ...form, token: "guessed-by-somebody" });
    const headers = { "content-type": "application/json", "content-length": body.length };
    return new Promise((resolve, reject) => {
      const sent = request(
        { hostname, port, path: `/api/v1${path}`, method: "POST", localAddress, headers },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      sent.once("error", reject);
      sent.end(body);
    });
  }

  it.each(["/setup", "/sign-in/once"])("stay open for others when a stranger guesses: %s", async (path) => {
    const statuses: number[] = [];
    // Under the limit for the address, over the limit for one purpose.
    for (let i = 0; i < 11; i++) statuses.push(await guess(path, path === "/setup" ? "127.0.0.2" : "127.0.0.3"));
    expect(statuses.at(-1)).toBe(429);
    expect(await guess(path, "127.0.0.4")).not.toBe(429);
  });
});

describe("without a database", () => {
  it("fails closed with the reason, and health stays", async () => {
    server.stores.faults.available = false;
    const response = await fetch(`${server.url}/api/v1/nodes`, { headers: { cookie: admin.cookie } });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "store-unavailable" });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    server.stores.faults.available = true;
    expect((await fetch(`${server.url}/api/v1/nodes`, { headers: { cookie: admin.cookie } })).status).toBe(200);
  });
});
