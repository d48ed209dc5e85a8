import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./app.ts";
import type { ScreenHandler } from "./screens.ts";
import type { HttpServices } from "./services.ts";

const requestTimeoutMs = 30_000;
const headersTimeoutMs = 10_000;
const keepAliveTimeoutMs = 65_000;
const maxHeaderBytes = 32 * 1024;

export interface ServerOptions {
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Believe the last entry of X-Forwarded-For: a proxy of ours wrote it. */
  readonly trustProxy: boolean;
  screens(): ScreenHandler;
}

/** Our own server: API, health and metrics before Next, which only ever sees pages. */
export function createHttpServer(services: HttpServices, options: ServerOptions): Server {
  const app = createApp(services);
  const api = getRequestListener((request, env) =>
    app.fetch(request, { address: addressOf((env as { incoming: IncomingMessage }).incoming, options.trustProxy) }),
  );
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (isApiPath(request.url ?? "/")) void api(request, response);
    else options.screens()(request, response);
  };
  const limits = { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs, maxHeaderSize: maxHeaderBytes };
  const server =
    options.tls === null ? createServer(limits, handle) : createTlsServer({ ...limits, ...options.tls }, handle);
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  return server;
}

function isApiPath(url: string): boolean {
  const path = url.split("?", 1)[0] ?? "/";
  return (
    path === "/api" || path.startsWith("/api/") || path === "/healthz" || path === "/readyz" || path === "/metrics"
  );
}

function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = request.headers["x-forwarded-for"];
  if (trustProxy && forwarded !== undefined) {
    const last = String(forwarded).split(",").at(-1)?.trim();
    if (last !== undefined && last !== "") return last.slice(0, 64);
  }
  return request.socket.remoteAddress ?? "";
}
