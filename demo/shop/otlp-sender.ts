interface Gauge {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly at: number;
}

interface LogLine {
  readonly level: "INFO" | "WARN" | "ERROR";
  readonly text: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly at: number;
}

const flushEveryMs = 400;
/** Waiting lines and values; what comes on top is left out, as a logger does whose collector is away. */
const maxWaiting = 2_000;
const timeoutMs = 2_000;
const severity = { INFO: 9, WARN: 13, ERROR: 17 } as const;

/** Log lines and gauges as OTLP/HTTP in JSON. Loses them when nobody listens, never waits for the listener. */
export class OtlpSender {
  #logs: LogLine[] = [];
  #gauges: Gauge[] = [];
  #sending = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly url: string,
    private readonly resource: Readonly<Record<string, string | number>>,
  ) {
    this.#timer = setInterval(() => void this.#flush(), flushEveryMs);
  }

  log(level: LogLine["level"], text: string, traceId: string, spanId: string): void {
    if (this.#logs.length < maxWaiting) this.#logs.push({ level, text, traceId, spanId, at: Date.now() });
  }

  gauge(name: string, unit: string, value: number): void {
    if (this.#gauges.length < maxWaiting) this.#gauges.push({ name, unit, value, at: Date.now() });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    const logs = this.#logs;
    const gauges = this.#gauges;
    this.#logs = [];
    this.#gauges = [];
    const resource = { attributes: writeAttributes(this.resource) };
    const scope = { name: "holdfast-demo-shop" };
    try {
      if (logs.length > 0) {
        const logRecords = logs.map(writeLog);
        await this.#post("/v1/logs", { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords }] }] });
      }
      if (gauges.length > 0) {
        const metrics = gauges.map(writeGauge);
        await this.#post("/v1/metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] });
      }
    } catch {
      // The collector is away: these are lost, the next ones may get through.
    } finally {
      this.#sending = false;
    }
  }

  async #post(path: string, body: unknown): Promise<void> {
    const response = await fetch(this.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.arrayBuffer();
  }
}

function writeAttributes(values: Readonly<Record<string, string | number>>): unknown[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
  }));
}

function writeLog({ level, text, traceId, spanId, at }: LogLine): unknown {
  return {
    timeUnixNano: `${at}000000`,
    severityNumber: severity[level],
    severityText: level,
    body: { stringValue: text },
    attributes: [],
    ...(traceId === "" ? {} : { traceId, spanId }),
  };
}

function writeGauge({ name, unit, value, at }: Gauge): unknown {
  return { name, unit, gauge: { dataPoints: [{ timeUnixNano: `${at}000000`, asDouble: value }] } };
}
