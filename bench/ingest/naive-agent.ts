// The baseline of `npm run bench:ingest`: the same receiver, spool and connection as the agent's, but a record for every trace.
import { parseArgs } from "node:util";
import { loadConfig } from "../../agents/config/load.ts";
import { openIdentity } from "../../agents/connection/identity.ts";
import { Connection } from "../../agents/connection/session.ts";
import { readSpans } from "../../agents/otlp/read-spans.ts";
import { startOtlpReceiver } from "../../agents/otlp/receiver.ts";
import { makePrivateDirectory } from "../../agents/shared/durable-file.ts";
import { SpoolSender } from "../../agents/spool/sender.ts";
import { Spool } from "../../agents/spool/spool.ts";

const { values } = parseArgs({ options: { config: { type: "string" } } });
const config = await loadConfig(values.config ?? "");
await makePrivateDirectory(config.stateDir);
const spool = await Spool.open(config.stateDir, config.spool);
const connection = new Connection({
  url: config.server,
  node: config.node,
  zone: config.zone,
  labels: config.labels,
  bootId: "naive",
  spoolId: spool.id,
  token: config.token,
  pinnedServerKey: config.serverKey,
  identity: await openIdentity(config.stateDir),
  stateDir: config.stateDir,
  reconnectCapMs: 1_000,
  log: (level, message, data) => console.log(level, message, data ?? ""),
  onWelcome: (welcome) => void sender.begin(welcome.recordsUpTo),
  onFrame: (frame) => {
    if (frame.t === "records-ack") void sender.acknowledged(frame.spoolId, frame.upTo);
  },
  onDisconnect: () => undefined,
});
const sender = new SpoolSender(spool, (frame) => connection.send(frame));
await startOtlpReceiver({
  host: config.telemetry.otlp?.host ?? "127.0.0.1",
  port: config.telemetry.otlp?.port ?? 4_318,
  limits: { maxPerSecond: 200_000, maxPerRequest: 20_000 },
  takeTraces(request, most) {
    const { spans, errors, rejected, reason } = readSpans(request, new Map(), most);
    for (const trace of errors) {
      spool
        .append({ kind: "trace", at: Date.now(), trace })
        .catch((error: unknown) => console.log("lost", String(error)));
    }
    return { accepted: spans.length, rejected, reason };
  },
  takeLogs: () => ({ accepted: 0, rejected: 0, reason: "" }),
  takeMetrics: () => ({ accepted: 0, rejected: 0, reason: "" }),
  onRefused: () => undefined,
  onBadPayload: (reason) => console.log("refused", reason),
});
connection.start();
