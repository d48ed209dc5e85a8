import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";

export type ScreenHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ScreensOptions {
  /** Root of the checkout or installation: `app/`, `.next/`. */
  readonly root: string;
  readonly isDevelopment: boolean;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  log(level: "info" | "warn" | "error", message: string, detail?: Readonly<Record<string, unknown>>): void;
}

/** Next behind our own server: it gets only GET and HEAD, and its scripts their nonce. */
export async function createScreens(options: ScreensOptions): Promise<ScreenHandler> {
  const distDir = process.env.NEXT_DIST_DIR ?? ".next";
  if (!options.isDevelopment && !existsSync(join(options.root, distDir, "BUILD_ID"))) {
    options.log("warn", "The screens are not built; only the API is served. Build them with `npm run build`.");
    return answerUnbuilt;
  }
  const { default: next } = await import("next");
  const app = next({ dev: options.isDevelopment, dir: options.root, hostname: options.host, port: options.port });
  await app.prepare();
  const handle = app.getRequestHandler();
  return (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD", "content-type": "text/plain; charset=utf-8" });
      response.end("Pages can only be read.");
      return;
    }
    const policy = contentSecurityPolicy(options, request.headers.host ?? "");
    // Next reads the nonce from the request's header of this name; the browser obeys the response's.
    request.headers["content-security-policy"] = policy;
    response.setHeader("content-security-policy", policy);
    setCommonHeaders(response, options.secure);
    handle(request, response).catch((error: unknown) => {
      options.log("error", "A page failed.", { path: request.url, error: String(error) });
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
      response.end("The page could not be made. The server's log says why.");
    });
  };
}

function contentSecurityPolicy(options: ScreensOptions, host: string): string {
  const nonce = randomBytes(16).toString("base64");
  const sockets = /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? ` ${options.secure ? "wss" : "ws"}://${host}` : "";
  const evaluation = options.isDevelopment ? " 'unsafe-eval'" : "";
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${evaluation}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self'${sockets}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function setCommonHeaders(response: ServerResponse, secure: boolean): void {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "same-origin");
  response.setHeader("permissions-policy", "camera=(), microphone=(), geolocation=()");
  if (secure) response.setHeader("strict-transport-security", "max-age=31536000");
}

function answerUnbuilt(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { "content-type": "text/plain; charset=utf-8" });
  response.end("The screens are not built. Run `npm run build`, then start the server again.\n");
}
