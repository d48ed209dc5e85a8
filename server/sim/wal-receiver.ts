import type { Side } from "./network.ts";
import type { PostgresModel } from "./postgres-model.ts";
import { holds } from "./wal.ts";
import type { ReplicationMessage } from "./wal-sender.ts";

/** A standby's one incoming stream. */
export interface Receiver {
  readonly upstream: string;
  status: "starting" | "streaming";
  lastMessageMs: number;
  reply(): void;
  /** Closes without a retry. */
  end(): void;
}

export function connectReceiver(standby: PostgresModel, source: PostgresModel): void {
  const { world } = standby;
  let side: Side<ReplicationMessage> | null = null;
  let ended = false;
  const receiver: Receiver = {
    upstream: source.node,
    status: "starting",
    lastMessageMs: world.nowMs,
    reply: () => side?.send({ kind: "reply", writeLsn: standby.disk.written.lsn, flushLsn: standby.disk.flushed.lsn }),
    end: () => {
      ended = true;
      side?.close();
    },
  };
  standby.receiver = receiver;
  const gone = (): void => {
    if (!ended && standby.receiver === receiver) {
      const wasStreaming = receiver.status === "streaming";
      if (wasStreaming) standby.receiverGone();
      else {
        standby.receiver = null;
        standby.retryUpstream();
      }
    }
    ended = true;
  };
  standby.network.connect<ReplicationMessage>(
    standby.process,
    { host: source.host, service: "postgres" },
    { userTimeoutMs: standby.timing.userTimeoutMs, connectTimeoutMs: 2_000 },
    (opened) => {
      if (ended) return opened.close();
      side = opened;
      opened.onClose = gone;
      opened.onMessage = (message) => receive(standby, receiver, message, opened);
      opened.send({
        kind: "start",
        applicationName: standby.disk.applicationName,
        node: standby.node,
        head: standby.disk.written,
        systemId: standby.disk.systemId,
        slot: standby.streamsBySlot ? standby.node : null,
      });
    },
    gone,
  );
}

function receive(
  standby: PostgresModel,
  receiver: Receiver,
  message: ReplicationMessage,
  side: Side<ReplicationMessage>,
): void {
  if (standby.receiver !== receiver) return side.close();
  receiver.lastMessageMs = standby.world.nowMs;
  switch (message.kind) {
    case "started":
      receiver.status = "streaming";
      standby.receivedLsn ??= standby.disk.written.lsn;
      standby.lastMoveMs = standby.world.nowMs;
      receiver.reply();
      standby.onChange();
      break;
    case "wal": {
      if (!holds(message.upTo, standby.disk.written)) {
        standby.world.emit({ kind: "model-violated", text: `${standby.node} was sent a foreign history` });
      }
      standby.disk.written = message.upTo;
      standby.receivedLsn = message.upTo.lsn;
      standby.disk.historyUpTo = Math.max(standby.disk.historyUpTo, message.upTo.timeline);
      standby.lastMoveMs = standby.world.nowMs;
      standby.scheduleFlush();
      break;
    }
    case "keepalive":
      receiver.reply();
      break;
    case "refused":
    case "start":
    case "reply":
      break;
  }
}
