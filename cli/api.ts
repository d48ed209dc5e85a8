import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CommandError, exitCodes } from "./exit-codes.ts";

const timeoutMs = 20_000;

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The server's API with a token: HOLDFAST_URL and HOLDFAST_TOKEN, or the running server of this machine and user. */
export interface Api {
  readonly url: string;
  readonly token: string | null;
  get<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
  send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T>;
}

export function openApi(environment: Environment): Api {
  const first = readLocalToken(environment);
  const url = (environment.HOLDFAST_URL ?? first?.url ?? "http://127.0.0.1:7400").replace(/\/$/, "");
  // Read with every request: the local token is new at each start of the server, and a command that follows a change outlives that.
  const tokenNow = (): string | null => {
    const local = readLocalToken(environment);
    return environment.HOLDFAST_TOKEN ?? (local !== null && isSameServer(url, local.url) ? local.token : null);
  };
  const call = async (method: string, path: string, body: unknown) => {
    const token = tokenNow();
    return demandOk(await request(url, token, method, path, body), token);
  };
  return {
    url,
    get token() {
      return tokenNow();
    },
    async get<T>(path: string) {
      return (await (await call("GET", path, undefined)).json()) as T;
    },
    async text(path) {
      return (await call("GET", path, undefined)).text();
    },
    async send<T>(method: "POST" | "PUT" | "DELETE", path: string, body: unknown = {}) {
      const response = await call(method, path, body);
      return (response.status === 204 ? {} : await response.json()) as T;
    },
  };
}

async function request(
  url: string,
  token: string | null,
  method: string,
  path: string,
  body: unknown,
): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    const init = { method, headers, signal: AbortSignal.timeout(timeoutMs) };
    return await fetch(`${url}/api/v1/${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    const hint = "Is the server running? Set HOLDFAST_URL when it is elsewhere.";
    throw new CommandError(exitCodes.unreachable, `No answer from ${url}: ${cause}. ${hint}`);
  }
}

async function demandOk(response: Response, token: string | null): Promise<Response> {
  if (response.ok) return response;
  throw await readProblem(response, token);
}

async function readProblem(response: Response, token: string | null): Promise<CommandError> {
  const body = (await response.json().catch(() => ({}))) as { title?: string; detail?: string; reference?: string };
  const sentence = body.detail ?? body.title ?? `the server answered ${response.status}`;
  if (response.status === 401 && token === null) {
    const hint = "Set HOLDFAST_TOKEN; an administrator makes one with `holdfast token api`.";
    return new CommandError(exitCodes.refused, `${sentence} ${hint}`);
  }
  const reference = response.status >= 500 && body.reference !== undefined ? ` (reference ${body.reference})` : "";
  const code = response.status >= 500 ? exitCodes.unreachable : exitCodes.refused;
  return new CommandError(code, `${sentence}${reference}`);
}

/** The file a running server leaves for its own user. */
function readLocalToken(environment: Environment): { url: string; token: string } | null {
  const dataDir = environment.HOLDFAST_DATA_DIR ?? join(homedir(), ".local", "share", "holdfast");
  try {
    const [url, token] = readFileSync(join(dataDir, "local.token"), "utf8").split("\n");
    return url === undefined || token === undefined || token === "" ? null : { url, token };
  } catch {
    return null;
  }
}

/** The local token goes to the server that wrote it, and to no other. */
function isSameServer(url: string, localUrl: string): boolean {
  const [a, b] = [new URL(url), new URL(localUrl)];
  const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || host.startsWith("127.");
  return a.origin === b.origin || (a.port === b.port && isLoopback(a.hostname) && isLoopback(b.hostname));
}
