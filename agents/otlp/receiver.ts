import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { messageOf, monotonicMs } from "../shared/time.ts";
import { TokenBucket } from "../shared/token-bucket.ts";
import { logRequest, metricRequest, traceRequest } from "./messages.ts";
import { decodeProtobuf, encodeProtobuf, type MessageShape, ProtobufError } from "./protobuf.ts";
import { isDeeper, Refusal, readBody } from "./read-body.ts";
import { asObject, type Values } from "./walk.ts";

const bodyLimits = { maxBytes: 4 * 1024 * 1024, maxUnpackedBytes: 16 * 1024 * 1024 };
const maxDepth = 24;
const protobufLimits = { maxDepth, maxValues: 1_000_000 };
/** Requests whose bodies may be held at once. */
const maxUnderWay = 8;
const requestTimeoutMs = 10_000;
const badData = 3;
const resourceExhausted = 8;

export interface OtlpLimits {
  /** Spans, log records and data points a second, each, in the long run; who sends more is told to wait. */
  readonly maxPerSecond: number;
  readonly maxPerRequest: number;
}

export interface Taken {
  readonly accepted: number;
  readonly rejected: number;
  readonly reason: string;
}

export interface OtlpReceiverOptions {
  readonly host: string;
  readonly port: number;
  readonly limits: OtlpLimits;
  /** `most`: how many may be taken. */
  takeTraces(request: Values, most: number): Taken;
  takeLogs(request: Values, most: number): Taken;
  takeMetrics(request: Values, most: number): Taken;
  onRefused(kind: SignalKind, count: number): void;
  onBadPayload(reason: string): void;
}

export type SignalKind = "spans" | "logs" | "points";

interface Signal {
  readonly kind: SignalKind;
  readonly shape: MessageShape;
  readonly bucket: TokenBucket;
  /** Name of the number of refused items, as OTLP's JSON spells it. */
  readonly rejectedName: string;
  take(request: Values, most: number): Taken;
}

/**
 * OTLP/HTTP for the programs of this machine: traces, logs and metrics, JSON and protobuf, plain and gzip. Answers as the specification wants it: 200 with a
 * partial success when some items were refused, 400 for what can't be read, 429 when there is too much of it.
 * Source: opentelemetry.io, "OTLP Specification 1.x". @throws Error when the address is taken.
 */
export function startOtlpReceiver(options: OtlpReceiverOptions): Promise<Server> {
  const { maxPerSecond } = options.limits;
  const signals: Readonly<Record<string, Signal>> = {
    "/v1/traces": {
      kind: "spans",
      shape: traceRequest,
      bucket: new TokenBucket(maxPerSecond, maxPerSecond * 5, monotonicMs()),
      rejectedName: "rejectedSpans",
      take: options.takeTraces,
    },
    "/v1/logs": {
      kind: "logs",
      shape: logRequest,
      bucket: new TokenBucket(maxPerSecond, maxPerSecond * 5, monotonicMs()),
      rejectedName: "rejectedLogRecords",
      take: options.takeLogs,
    },
    "/v1/metrics": {
      kind: "points",
      shape: metricRequest,
      bucket: new TokenBucket(maxPerSecond, maxPerSecond * 5, monotonicMs()),
      rejectedName: "rejectedDataPoints",
      take: options.takeMetrics,
    },
  };
  let underWay = 0;
  const server = createServer((request, response) => {
    const isJson = (request.headers["content-type"] ?? "").startsWith("application/json");
    if (underWay >= maxUnderWay) {
      refuse(response, isJson, 503, resourceExhausted, "too many requests at once; try again in a second");
      return;
    }
    underWay += 1;
    void answer(options, signals, request, response, isJson)
      .catch((error: unknown) => refuseFor(options, response, isJson, error))
      .finally(() => {
        underWay -= 1;
      });
  });
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  server.maxConnections = 256;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE" ? "it is taken by another program" : error.message;
      reject(new Error(`otlp: cannot listen on ${options.host}:${options.port}: ${taken}`));
    });
    server.listen(options.port, options.host, () => resolve(server));
  });
}

async function answer(
  options: OtlpReceiverOptions,
  signals: Readonly<Record<string, Signal>>,
  request: IncomingMessage,
  response: ServerResponse,
  isJson: boolean,
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const signal = Object.hasOwn(signals, path) ? signals[path] : undefined;
  if (signal === undefined) {
    throw new Refusal(
      404,
      `there is nothing at ${path.slice(0, 100)}; OTLP goes to /v1/traces, /v1/logs and /v1/metrics`,
    );
  }
  if (request.method !== "POST") throw new Refusal(405, "use POST");
  // A web page must not report in the name of this machine's services.
  if (request.headers.origin !== undefined) throw new Refusal(403, "browsers may not report here");
  const type = request.headers["content-type"] ?? "";
  if (!isJson && !type.startsWith("application/x-protobuf"))
    throw new Refusal(415, "send application/json or application/x-protobuf");
  const body = await readBody(request, bodyLimits);
  const values = isJson ? parseJson(body) : decodeProtobuf(body, signal.shape, protobufLimits);
  const nowMs = monotonicMs();
  // A request is taken whole, on credit: exporters send again what is refused with 429, but never what a partial success leaves out.
  if (signal.bucket.available(nowMs) < 1) {
    response.setHeader("retry-after", "1");
    throw new Refusal(429, `more than ${options.limits.maxPerSecond} ${signal.kind} a second`);
  }
  const taken = signal.take(values, options.limits.maxPerRequest);
  signal.bucket.take(taken.accepted, nowMs);
  if (taken.rejected > 0) options.onRefused(signal.kind, taken.rejected);
  send(response, isJson, 200, taken.rejected === 0 ? {} : partial(signal, taken), () =>
    taken.rejected === 0
      ? Buffer.alloc(0)
      : encodeProtobuf([
          [
            1,
            encodeProtobuf([
              [1, taken.rejected],
              [2, taken.reason],
            ]),
          ],
        ]),
  );
}

function partial(signal: Signal, { rejected, reason }: Taken): object {
  return { partialSuccess: { [signal.rejectedName]: String(rejected), errorMessage: reason } };
}

function parseJson(body: Buffer): Values {
  if (isDeeper(body, maxDepth)) throw new Refusal(400, `it is nested more than ${maxDepth} deep`);
  try {
    return asObject(JSON.parse(body.toString("utf8")));
  } catch {
    throw new Refusal(400, "the body is not valid JSON");
  }
}

function refuseFor(options: OtlpReceiverOptions, response: ServerResponse, isJson: boolean, error: unknown): void {
  const known = error instanceof Refusal ? error : null;
  const isBad = error instanceof ProtobufError;
  const status = known?.status ?? (isBad ? 400 : 500);
  const reason = isBad ? `the body is not valid protobuf: ${error.message}` : messageOf(error);
  if (status === 400 || status === 413) options.onBadPayload(reason);
  refuse(response, isJson, status, status === 429 ? resourceExhausted : badData, reason);
}

/** `google.rpc.Status` in the encoding of the request. */
function refuse(response: ServerResponse, isJson: boolean, status: number, code: number, message: string): void {
  // What is still coming of a refused body is not read.
  if (status === 413) response.setHeader("connection", "close");
  send(response, isJson, status, { code, message }, () =>
    encodeProtobuf([
      [1, code],
      [2, message],
    ]),
  );
}

function send(response: ServerResponse, isJson: boolean, status: number, json: object, binary: () => Buffer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": isJson ? "application/json" : "application/x-protobuf" });
  response.end(isJson ? JSON.stringify(json) : binary());
}
