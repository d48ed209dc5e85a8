import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../ports/clock.ts";
import type { IncidentView } from "../protocol/index.ts";
import { postJson } from "./post-json.ts";
import { isPrivateAddress } from "./private-address.ts";
import { Webhooks } from "./webhooks.ts";

let server: Server;
let url: string;
let received: { headers: IncomingHttpHeaders; body: string }[];
let statuses: number[];
const complaints: string[] = [];

/** Time stands, timers fire at once. */
const clock: Clock = {
  monoMs: () => 0,
  wallMs: () => 1_000,
  entropy: () => "",
  setTimer(run) {
    setImmediate(run);
    return () => {};
  },
  soon: (run) => void setImmediate(run),
};

const incident = (over: Partial<IncidentView>): IncidentView =>
  ({
    id: "INC-1",
    phase: "open",
    severity: 3,
    openedAt: 2_000,
    beganAt: 1_900,
    cluster: "orders",
    cause: { kind: "dead-primary", subject: { kind: "node", id: "pg-a" } },
    ...over,
  }) as unknown as IncidentView;

beforeEach(async () => {
  received = [];
  statuses = [];
  complaints.length = 0;
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 204, { location: "http://127.0.0.1:9/" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/hook`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

function create(): Webhooks {
  return new Webhooks({
    targets: [{ url, secret: "s3cret", allowPrivate: true }],
    clock,
    publicUrl: "http://127.0.0.1:7400",
    log: (message) => complaints.push(message),
  });
}
const events = () => received.map(({ body }) => (JSON.parse(body) as { event: string }).event);

describe("a mute", () => {
  it("holds back what happens under it, and an end that nobody heard the beginning of", async () => {
    const webhooks = create();
    webhooks.consider(incident({}), true);
    webhooks.consider(incident({ severity: 2 }), true);
    webhooks.consider(incident({ phase: "resolved", severity: 2 }), false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(events()).toEqual([]);
  });

  it("that ends while the incident is open lets it be told, once", async () => {
    const webhooks = create();
    webhooks.consider(incident({}), true);
    webhooks.consider(incident({}), false);
    webhooks.consider(incident({}), false);
    webhooks.consider(incident({ phase: "resolved" }), false);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(events()).toEqual(["incident-opened", "incident-resolved"]);
  });
});

describe("webhooks", () => {
  it("tell of opening, of getting worse and of the end, in order and once", async () => {
    const hooks = create();
    hooks.consider(incident({}), false);
    hooks.consider(incident({ phase: "acknowledged" }), false);
    hooks.consider(incident({ severity: 1 }), false);
    hooks.consider(incident({ severity: 2, phase: "mitigated" }), false);
    hooks.consider(incident({ phase: "resolved" }), false);
    hooks.consider(incident({ phase: "closed" }), false);
    await expect.poll(events).toEqual(["incident-opened", "incident-worsened", "incident-resolved"]);
  });

  it("stay silent when muted, and about what was there before", async () => {
    const hooks = create();
    hooks.consider(incident({ id: "INC-2" }), true);
    hooks.consider(incident({ id: "INC-0", openedAt: 10 }), false);
    hooks.consider(incident({ id: "INC-3" }), false);
    await expect.poll(events).toEqual(["incident-opened"]);
    expect(received[0]?.body).toContain("INC-3");
  });

  it("sign what they send", async () => {
    create().consider(incident({}), false);
    await expect.poll(() => received.length).toBe(1);
    const { headers, body } = received[0] as (typeof received)[number];
    const expected = createHmac("sha256", "s3cret").update(`${headers["x-holdfast-timestamp"]}.${body}`).digest("hex");
    expect(headers["x-holdfast-signature"]).toBe(`sha256=${expected}`);
  });

  it("try again, and give up in the end with a complaint that hides the path", async () => {
    statuses = [500, 302];
    const hooks = create();
    hooks.consider(incident({}), false);
    await expect.poll(() => received.length).toBe(3);
    statuses = [500, 500, 500, 500];
    hooks.consider(incident({ phase: "resolved" }), false);
    await expect.poll(() => complaints.length).toBe(1);
    expect(received.length).toBe(7);
  });

  it("reach no private address unless told to", async () => {
    const target = { url, secret: null, allowPrivate: false };
    await expect(postJson(target, "{}", 1)).rejects.toThrow(/private address/);
    await expect(postJson({ ...target, url: url.replace("127.0.0.1", "localhost") }, "{}", 1)).rejects.toThrow(
      /private/,
    );
    await expect(postJson({ ...target, url: url.replace("127.0.0.1", "2130706433") }, "{}", 1)).rejects.toThrow(
      /private/,
    );
    expect(received).toEqual([]);
  });

  it.each([
    ["127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.31.0.1", true],
    ["172.32.0.1", false],
    ["169.254.169.254", true],
    ["::1", true],
    ["::ffff:192.168.1.1", true],
    ["fd00::1", true],
    ["fe80::1", true],
    ["8.8.8.8", false],
    ["2001:4860:4860::8888", false],
    ["not an address", true],
  ])("know a private address: %s", (address, expected) => {
    expect(isPrivateAddress(address)).toBe(expected);
  });
});
