import { ApiError, networkProblem, readProblem } from "./problem.ts";

const BASE = "/api/v1";
const TIMEOUT_MS = 15_000;
let csrfToken: string | null = null;

/** Every change carries this session's token; the session query sets it. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

function address(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(name, String(value));
  }
  const search = params.toString();
  return `${BASE}/${path}${search === "" ? "" : `?${search}`}`;
}

async function call(method: string, url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["content-type"] = "application/json";
  if (method !== "GET" && csrfToken !== null) headers["x-csrf-token"] = csrfToken;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(method === "GET" ? {} : { body: JSON.stringify(body ?? {}) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(networkProblem(timeout.aborted));
  }
  if (!response.ok) throw new ApiError(readProblem(response.status, await response.json().catch(() => null)));
  return response;
}

async function readJson<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(networkProblem(false));
  }
}

/** GET below `/api/v1`. @throws ApiError with the server's problem, or status 0 when no answer came. */
export async function apiGet<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return readJson<T>(await call("GET", address(path, query), undefined, signal));
}

/** GET as text: exports. */
export async function apiText(path: string, query?: Query): Promise<string> {
  return (await call("GET", address(path, query), undefined)).text();
}

/** POST, PUT, PATCH or DELETE with JSON and the session's token. @throws ApiError */
export async function apiSend<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
): Promise<T> {
  return readJson<T>(await call(method, address(path), body));
}
