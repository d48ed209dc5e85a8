import { randomBytes } from "node:crypto";

const batchesPerSecond = 20;
/** Nothing is sent twice because the machine is slow: that would count twice. */
const requestMs = 120_000;

export interface LoadResult {
  readonly sent: number;
  readonly refused: number;
}

/**
 * Sends `rate` traces a second for `seconds`, each a request that failed with an exception of one of five kinds, as OTLP's JSON: the same
 * whoever receives it. A batch that is put off (429, 503) is sent again.
 */
export async function sendTraces(url: string, service: string, rate: number, seconds: number): Promise<LoadResult> {
  const perBatch = Math.round(rate / batchesPerSecond);
  const startedMs = performance.now();
  const sending: Promise<number>[] = [];
  let sent = 0;
  for (let batch = 0; batch < seconds * batchesPerSecond; batch += 1) {
    const waitMs = startedMs + (batch * 1_000) / batchesPerSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    sending.push(sendBatch(url, makeBatch(service, perBatch, batch)));
    sent += perBatch;
  }
  const refused = (await Promise.all(sending)).reduce((sum, each) => sum + each, 0);
  return { sent, refused };
}

async function sendBatch(url: string, body: string): Promise<number> {
  for (;;) {
    const response = await fetch(`${url}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(requestMs),
    });
    const answer = (await response.json()) as { partialSuccess?: { rejectedSpans?: string } };
    if (response.status === 200) return Number(answer.partialSuccess?.rejectedSpans ?? 0);
    if (response.status !== 429 && response.status !== 503)
      throw new Error(`The receiver answered ${response.status}.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function makeBatch(service: string, count: number, batch: number): string {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: count }, (_, i) => {
    const number = batch * count + i;
    return {
      traceId: randomBytes(16).toString("hex"),
      spanId: randomBytes(8).toString("hex"),
      name: "POST /orders",
      kind: 2,
      startTimeUnixNano: String(nowNs - 12_000_000n),
      endTimeUnixNano: String(nowNs),
      status: { code: 2 },
      events: [
        {
          timeUnixNano: String(nowNs),
          name: "exception",
          attributes: [
            attribute("exception.type", "RangeError"),
            attribute("exception.message", `order ${number} is out of range`),
            attribute(
              "exception.stacktrace",
              `RangeError: order ${number} is out of range\n    at place${number % 5} (/srv/shop/src/orders.js:${10 + (number % 5)}:7)\n    at handle (/srv/shop/src/server.js:31:3)`,
            ),
          ],
        },
      ],
    };
  });
  const resource = { attributes: [attribute("service.name", service), attribute("telemetry.sdk.language", "nodejs")] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

function attribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}
