import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type FaultRequest, readFaultRequest } from "./fault-names.ts";
import type { FaultOutcome } from "./faults.ts";
import type { PortAddress } from "./network/silent-ports.ts";

export interface SupervisorApi {
  readonly token: string;
  /** What a fault may be caused on, as it is now. */
  nodes(): readonly string[];
  cause(request: FaultRequest): Promise<FaultOutcome>;
  /** Starts a service of the shop again, or takes its release back. Answers with what was done. */
  recover(action: string, service: string): Promise<string>;
  /** `start` the demo's Redis Cluster where it does not run, or `audit` what its clients wrote. */
  redis(action: string): Promise<unknown>;
  readState(): Promise<unknown>;
}

const maxBodyBytes = 4_096;

/** Loopback HTTP for the demo's command, the page's buttons and the journeys: `POST /faults`, `/services` and `/redis`, `GET /state`; a bearer token on all. */
export function serveSupervisor(api: SupervisorApi, address: PortAddress): Promise<Server> {
  const server = createServer((request, response) => {
    answer(api, request).then(
      ([status, body]) => send(response, status, body),
      (error: Error) => send(response, 409, { error: error.message }),
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...address }, () => resolve(server));
  });
}

async function answer(api: SupervisorApi, request: IncomingMessage): Promise<readonly [number, unknown]> {
  if (!isAuthorised(request.headers.authorization, api.token))
    return [401, { error: "The token is missing or wrong." }];
  // A page can't send this header across origins without asking first, and nobody answers such a question here.
  if (request.headers.origin !== undefined) return [403, { error: "Browsers are not served here." }];
  if (request.method === "GET" && request.url === "/state") return [200, await api.readState()];
  if (request.method === "POST" && request.url === "/faults") {
    const fault = readFaultRequest(await readJson(request), api.nodes());
    return typeof fault === "string" ? [400, { error: fault }] : [200, await api.cause(fault)];
  }
  if (request.method === "POST" && request.url === "/services") {
    const { action, service } = ((await readJson(request)) ?? {}) as Record<string, unknown>;
    return [200, { detail: await api.recover(String(action), String(service)) }];
  }
  if (request.method === "POST" && request.url === "/redis") {
    const { action } = ((await readJson(request)) ?? {}) as Record<string, unknown>;
    return [200, await api.redis(String(action))];
  }
  return [404, { error: "There is nothing here." }];
}

function isAuthorised(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > maxBodyBytes) return null;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
