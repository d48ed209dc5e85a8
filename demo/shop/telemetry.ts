import { statfsSync } from "node:fs";
import { type Attributes, context, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { ShopConfig } from "./config.ts";
import { OtlpSender } from "./otlp-sender.ts";

export { SpanKind };

const exportEveryMs = 400;
const metricsEveryMs = 1_000;

/** Everything a process of the shop tells of itself: spans by the OpenTelemetry SDK, log lines and its own use of resources by OTLP/JSON. */
export class Telemetry {
  readonly #provider: NodeTracerProvider;
  readonly #sender: OtlpSender;
  readonly #tracer;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly config: ShopConfig) {
    const resource = describeProcess(config);
    this.#provider = new NodeTracerProvider({
      resource: resourceFromAttributes(resource),
      spanProcessors: [
        new BatchSpanProcessor(new OTLPTraceExporter({ url: `${config.otlpUrl}/v1/traces`, timeoutMillis: 2_000 }), {
          scheduledDelayMillis: exportEveryMs,
          maxExportBatchSize: 512,
          maxQueueSize: 2_048,
        }),
      ],
    });
    this.#provider.register();
    this.#tracer = trace.getTracer("holdfast-demo-shop", config.release);
    this.#sender = new OtlpSender(config.otlpUrl, resource);
    this.#timer = setInterval(() => this.#sample(), metricsEveryMs);
  }

  /** Runs the work inside a span; an error marks the span, is recorded with its stack, and goes on. */
  async inSpan<T>(
    name: string,
    options: { readonly kind: SpanKind; readonly attributes?: Attributes },
    work: (span: Span) => Promise<T>,
  ): Promise<T> {
    return this.#tracer.startActiveSpan(name, options, async (span) => {
      try {
        return await work(span);
      } catch (error) {
        span.recordException(error as Error);
        span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  log(level: "INFO" | "WARN" | "ERROR", text: string): void {
    const span = trace.getSpan(context.active())?.spanContext();
    this.#sender.log(level, text, span?.traceId ?? "", span?.spanId ?? "");
  }

  gauge(name: string, unit: string, value: number): void {
    this.#sender.gauge(name, unit, value);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#provider.shutdown(), this.#sender.stop()]).catch(() => undefined);
  }

  #cpu = process.cpuUsage();
  #cpuAtMs = performance.now();

  /** Use of processor, memory and the own volume since the last sample. */
  #sample(): void {
    const atMs = performance.now();
    const used = process.cpuUsage(this.#cpu);
    this.gauge("process.cpu.utilization", "1", (used.user + used.system) / 1_000 / (atMs - this.#cpuAtMs));
    this.#cpu = process.cpuUsage();
    this.#cpuAtMs = atMs;
    this.gauge("process.memory.usage", "By", process.memoryUsage.rss());
    const { blocks, bavail, bsize } = statfsSync(this.config.volume);
    this.gauge("volume.usage", "By", (blocks - bavail) * bsize);
    this.gauge("volume.utilization", "1", 1 - bavail / Math.max(1, blocks));
  }
}

function describeProcess({ service, release, host }: ShopConfig): Record<string, string | number> {
  return {
    "service.name": service,
    "service.namespace": "shop",
    "service.version": release,
    "service.instance.id": `${host}/${service}`,
    "host.name": host,
    "process.pid": process.pid,
  };
}
