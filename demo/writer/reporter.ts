import { request } from "node:http";
import type { TraceCollector } from "./traces.ts";
import type { Writer } from "./writer.ts";

const reportIntervalMs = 250;
const traceIntervalMs = 1_000;
const timeoutMs = 1_000;

/** Tells the node's own agent how the application fares: a report on a schedule and at once on a change, errors once a second. */
export class Reporter {
  #timers: NodeJS.Timeout[] = [];
  #posting = false;
  #again = false;

  constructor(
    private readonly agentUrl: string,
    private readonly writer: Writer,
    private readonly traces: TraceCollector,
  ) {}

  start(): void {
    this.#timers = [
      setInterval(() => void this.reportNow(), reportIntervalMs),
      setInterval(() => void this.#sendTraces(), traceIntervalMs),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** One report is under way at a time; a change meanwhile sends another right after it. */
  async reportNow(): Promise<void> {
    this.#again = true;
    if (this.#posting) return;
    this.#posting = true;
    try {
      while (this.#again) {
        this.#again = false;
        await post(`${this.agentUrl}/v1/workload`, this.writer.report());
      }
    } finally {
      this.#posting = false;
    }
  }

  async #sendTraces(): Promise<void> {
    for (const trace of this.traces.take()) await post(`${this.agentUrl}/v1/traces`, trace);
  }
}

/** An agent that does not answer is nothing the application should stumble over: the next report tells the same. */
function post(url: string, body: unknown): Promise<void> {
  return new Promise((resolve) => {
    const sent = request(url, { method: "POST", headers: { "content-type": "application/json" }, timeout: timeoutMs });
    sent.on("response", (response) => response.resume().on("close", resolve));
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => resolve());
    sent.on("close", resolve);
    sent.end(JSON.stringify(body));
  });
}
