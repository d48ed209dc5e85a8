// The demo's application: `node writer.js CONFIG.json`. Started by the supervisor, which it tells every acknowledged write over IPC if asked to.
import { readFileSync } from "node:fs";
import { machineMs } from "../clock.ts";
import type { AcknowledgedBatch, WriterConfig } from "./config.ts";
import { Reporter } from "./reporter.ts";
import { TraceCollector } from "./traces.ts";
import { Writer } from "./writer.ts";

const saveIntervalMs = 200;
const batchIntervalMs = 20;

function main(configPath: string): void {
  const config = JSON.parse(readFileSync(configPath, "utf8")) as WriterConfig;
  const traces = new TraceCollector(config.name);
  let batch: [number, string, number, number][] = [];
  const writer: Writer = new Writer(config, {
    nowMs: machineMs,
    wallMs: Date.now,
    onAcknowledged: (number, node, sentMs, atMs) => {
      if (config.streamAcknowledged) batch.push([number, node, sentMs, atMs]);
    },
    onChange: () => void reporter?.reportNow(),
    onError: (node, error) => traces.add(node, error),
  });
  const reporter = config.agentUrl === null ? null : new Reporter(config.agentUrl, writer, traces);
  writer.start();
  reporter?.start();
  const timers = [setInterval(() => writer.ledger.save(), saveIntervalMs)];
  if (config.streamAcknowledged) timers.push(setInterval(flush, batchIntervalMs));

  function flush(): void {
    if (batch.length === 0) return;
    const message: AcknowledgedBatch = { kind: "acknowledged", writes: batch };
    batch = [];
    process.send?.(message);
  }
  function stop(): void {
    for (const timer of timers) clearInterval(timer);
    flush();
    reporter?.stop();
    writer.stop();
    if (process.connected) process.disconnect();
  }
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  // The supervisor is gone: nobody would ever stop this process.
  process.once("disconnect", stop);
}

const configPath = process.argv[2];
if (configPath === undefined) {
  console.error("Name the application's configuration file: node writer.js CONFIG.json");
  process.exit(2);
}
main(configPath);
