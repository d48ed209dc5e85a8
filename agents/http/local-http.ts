import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as z from "zod/mini";
import type { PostgresStatus, WorkloadReport } from "../../server/core/index.ts";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { describeMistakes } from "../shared/schema-errors.ts";
import { readyAsPrimary, readyAsReplica } from "./readiness.ts";
import { type GaugeReport, readErrors, readGauges } from "./reports.ts";

/** The agent's HTTP for programs on its own machine: load balancers ask for roles, applications report traces and their workload. */

const maxBodyBytes = 256 * 1024;
const maxTraces = 100;
const requestTimeoutMs = 5_000;

const name = z.string().check(z.minLength(1), z.maxLength(200));
const traceSchema = z.strictObject({
  service: name,
  language: z.enum(["javascript", "python", "java", "go", "postgres", "other"]),
  type: name,
  message: z.string().check(z.maxLength(limits.maxTextLength)),
  frames: z
    .array(
      z.strictObject({
        function: z.string().check(z.maxLength(200)),
        file: z.string().check(z.maxLength(200)),
        line: z.nullable(z.int()),
      }),
    )
    .check(z.maxLength(limits.maxStackFrames)),
  traceId: z.nullable(z.string().check(z.maxLength(200))),
  count: z.int().check(z.gte(1), z.lte(1_000_000_000)),
});

const amount = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
const workloadSchema = z.strictObject({
  name,
  cluster: z.string().check(z.regex(/^[a-z0-9-]{1,40}$/)),
  writesPerSecond: amount,
  latencyMeanMs: z.nullable(amount),
  latencyP95Ms: z.nullable(amount),
  acknowledged: amount,
  failed: amount,
  lost: z.nullable(amount),
  auditedAt: z.nullable(amount),
  lastAcknowledgedAt: z.nullable(amount),
  unavailableForMs: amount,
  lastOutage: z.nullable(z.strictObject({ fromMs: amount, toMs: amount })),
  writingTo: z.nullable(z.string().check(z.regex(/^[a-z0-9-]{1,40}$/))),
});

export interface LocalHttpOptions {
  readonly host: string;
  readonly port: number;
  postgres(): PostgresStatus | null;
  /** Everything a heartbeat would say now. */
  status(): unknown;
  /** Resolves when the traces are durable. */
  takeTraces(traces: readonly ErrorTrace[]): Promise<void>;
  /** Counted at once, durable a moment later. */
  takeErrors(traces: readonly ErrorTrace[]): void;
  takeGauges(report: GaugeReport): void;
  takeWorkload(report: WorkloadReport): void;
}

/** @throws Error when the address is taken. */
export function startLocalHttp(options: LocalHttpOptions): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(options, request, response).catch(() => send(response, 500, { error: "internal error" }));
  });
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  server.maxConnections = 256;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE" ? "it is taken by another program" : error.message;
      reject(new Error(`cannot listen on ${options.host}:${options.port}: ${taken}`));
    });
    server.listen(options.port, options.host, () => resolve(server));
  });
}

async function answer(options: LocalHttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const reads = request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS";
  switch (path) {
    case "/primary":
    case "/replica":
    case "/health": {
      if (!reads) return send(response, 405, { error: "use GET" });
      const verdict = judgeRole(path, options.postgres());
      return send(response, verdict.ready ? 200 : 503, verdict);
    }
    case "/v1/status":
      return reads ? send(response, 200, options.status()) : send(response, 405, { error: "use GET" });
    case "/v1/traces":
      return request.method === "POST"
        ? takeTraces(options, request, response)
        : send(response, 405, { error: "use POST" });
    case "/errors":
      return request.method === "POST"
        ? takeReport(request, response, readErrors, (traces) => options.takeErrors(traces))
        : send(response, 405, { error: "use POST" });
    case "/gauges":
      return request.method === "POST"
        ? takeReport(request, response, readGauges, (report) => options.takeGauges(report))
        : send(response, 405, { error: "use POST" });
    case "/v1/workload":
      return request.method === "POST"
        ? takeWorkload(options, request, response)
        : send(response, 405, { error: "use POST" });
    default:
      return send(response, 404, { error: `there is nothing at ${path.slice(0, 100)}` });
  }
}

function judgeRole(path: string, status: PostgresStatus | null): { readonly ready: boolean; readonly reason: string } {
  if (path === "/primary") return readyAsPrimary(status);
  if (path === "/replica") return readyAsReplica(status);
  const primary = readyAsPrimary(status);
  return primary.ready ? primary : readyAsReplica(status);
}

async function takeTraces(
  options: LocalHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readJson(request);
  if (!body.ok) return send(response, body.status, { error: body.reason });
  const list = Array.isArray(body.value) ? body.value : [body.value];
  if (list.length > maxTraces) return send(response, 413, { error: `at most ${maxTraces} traces a request` });
  const traces: ErrorTrace[] = [];
  for (const [index, item] of list.entries()) {
    const parsed = z.safeParse(traceSchema, item);
    if (!parsed.success) return send(response, 422, { error: `trace ${index}: ${describeMistakes(parsed.error)}` });
    traces.push(parsed.data);
  }
  try {
    await options.takeTraces(traces);
  } catch (error) {
    return send(response, 503, { error: `not stored: ${error instanceof Error ? error.message : String(error)}` });
  }
  return send(response, 202, { accepted: traces.length });
}

async function takeReport<T>(
  request: IncomingMessage,
  response: ServerResponse,
  read: (body: unknown) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string },
  take: (value: T) => void,
): Promise<void> {
  // A web page must not report in the name of this machine's services.
  if (request.headers.origin !== undefined) return send(response, 403, { error: "browsers may not report here" });
  const body = await readJson(request);
  if (!body.ok) return send(response, body.status, { error: body.reason });
  const report = read(body.value);
  if (!report.ok) return send(response, 422, { error: report.reason });
  take(report.value);
  return send(response, 202, { accepted: true });
}

async function takeWorkload(
  options: LocalHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readJson(request);
  if (!body.ok) return send(response, body.status, { error: body.reason });
  const parsed = z.safeParse(workloadSchema, body.value);
  if (!parsed.success) return send(response, 422, { error: describeMistakes(parsed.error) });
  options.takeWorkload(parsed.data);
  return send(response, 202, { accepted: 1 });
}

type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: number; readonly reason: string };

async function readJson(request: IncomingMessage): Promise<Body> {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    return { ok: false, status: 415, reason: "send application/json" };
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return { ok: false, status: 413, reason: `more than ${maxBodyBytes} bytes` };
    chunks.push(chunk);
  }
  try {
    return { ok: true, value: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
  } catch {
    return { ok: false, status: 400, reason: "this is not JSON" };
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
