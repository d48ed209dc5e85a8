import { Agent, createServer, type IncomingMessage, request, type Server } from "node:http";
import { context, propagation, type Span, SpanKind } from "@opentelemetry/api";
import type { PortAddress } from "../network/silent-ports.ts";
import type { Telemetry } from "./telemetry.ts";

/** An answer that is no success; the status goes to the caller. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "HttpError";
  }
}

export interface ShopRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly span: Span;
}

/** The route's name, such as `GET /products/:id`, and what answers it. */
export interface ShopRoute {
  readonly name: string;
  readonly pattern: RegExp;
  handle(request: ShopRequest, argument: string): Promise<unknown>;
}

const maxBodyBytes = 16_384;
const callTimeoutMs = 5_000;
const keepAlive = new Agent({ keepAlive: true, maxSockets: 64 });

/** Serves routes, each request in a server span that continues the caller's trace (W3C traceparent). */
export function serveShop(address: PortAddress, telemetry: Telemetry, routes: readonly ShopRoute[]): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const parent = propagation.extract(context.active(), incoming.headers);
    void context.with(parent, async () => {
      const [status, body] = await answer(incoming, telemetry, routes);
      outgoing.writeHead(status, { "content-type": "application/json" });
      outgoing.end(JSON.stringify(body));
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...address }, () => resolve(server));
  });
}

async function answer(
  incoming: IncomingMessage,
  telemetry: Telemetry,
  routes: readonly ShopRoute[],
): Promise<readonly [number, unknown]> {
  const path = incoming.url ?? "/";
  const method = incoming.method ?? "GET";
  const route = routes.find(({ pattern }) => pattern.test(`${method} ${path}`));
  if (route === undefined) return [404, { error: "There is nothing here." }];
  const argument = route.pattern.exec(`${method} ${path}`)?.[1] ?? "";
  const attributes = { "http.request.method": method, "http.route": route.name.split(" ")[1] ?? path };
  try {
    const value = await telemetry.inSpan(route.name, { kind: SpanKind.SERVER, attributes }, async (span) => {
      try {
        const body = await readJson(incoming);
        const result = await route.handle({ method, path, body, span }, argument);
        span.setAttribute("http.response.status_code", 200);
        return result;
      } catch (error) {
        const status = error instanceof HttpError ? error.status : 500;
        span.setAttribute("http.response.status_code", status);
        telemetry.log("ERROR", `${route.name} failed with ${status}: ${(error as Error).stack ?? String(error)}`);
        throw error;
      }
    });
    return [200, value];
  } catch (error) {
    return [error instanceof HttpError ? error.status : 500, { error: (error as Error).message }];
  }
}

/** Calls another service of the shop in a client span. @throws HttpError when it answers with a failure or not at all. */
export function callService(
  telemetry: Telemetry,
  peer: string,
  address: PortAddress,
  call: { readonly name: string; readonly path: string; readonly body?: unknown },
): Promise<unknown> {
  const method = call.name.split(" ")[0] ?? "GET";
  const attributes = {
    "http.request.method": method,
    "server.address": address.host,
    "server.port": address.port,
    "peer.service": peer,
  };
  return telemetry.inSpan(call.name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    const headers: Record<string, string> = { "content-type": "application/json" };
    propagation.inject(context.active(), headers);
    const [status, value] = await send(address, { method, path: call.path, headers, body: call.body });
    span.setAttribute("http.response.status_code", status);
    if (status >= 400) throw new HttpError(502, `${peer} answered ${call.name} with ${status}: ${readMessage(value)}`);
    return value;
  });
}

function send(
  address: PortAddress,
  call: { method: string; path: string; headers: Record<string, string>; body: unknown },
): Promise<readonly [number, unknown]> {
  const { method, path, headers } = call;
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...address, method, path, headers, agent: keepAlive, timeout: callTimeoutMs },
      (response) => {
        readText(response).then((text) => resolve([response.statusCode ?? 502, parse(text)]), reject);
      },
    );
    sent.on("timeout", () => sent.destroy(new HttpError(504, `No answer within ${callTimeoutMs} ms.`)));
    sent.on("error", (error) =>
      reject(error instanceof HttpError ? error : new HttpError(502, `No connection: ${error.message}`)),
    );
    sent.end(call.body === undefined ? undefined : JSON.stringify(call.body));
  });
}

async function readJson(incoming: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const value = parse(await readText(incoming));
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

async function readText(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming) {
    text += chunk;
    if (text.length > maxBodyBytes) throw new HttpError(413, "The body is too large.");
  }
  return text;
}

function parse(text: string): unknown {
  try {
    return text === "" ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

function readMessage(value: unknown): string {
  const message = (value as { error?: unknown } | null)?.error;
  return typeof message === "string" ? message : "no reason given";
}
