import type { Side } from "./network.ts";
import type { PostgresModel } from "./postgres-model.ts";
import { holds, isPastFork, refuseFollow, type WalRecord } from "./wal.ts";

/** What a walsender and a walreceiver say to each other. */
export type ReplicationMessage =
  | {
      readonly kind: "start";
      readonly applicationName: string;
      readonly node: string;
      readonly head: WalRecord;
      readonly systemId: string;
      /** Of the primary, for this member alone; null when it asks for none. */
      readonly slot: string | null;
    }
  | { readonly kind: "started" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "wal"; readonly upTo: WalRecord }
  | { readonly kind: "keepalive" }
  | { readonly kind: "reply"; readonly writeLsn: number; readonly flushLsn: number };

export interface Sender {
  readonly applicationName: string;
  readonly node: string;
  readonly slot: string | null;
  streaming: boolean;
  /** The standby is past the fork of the timeline it asked for: it is sent that timeline up to the fork, and let go. */
  readonly replaysOldTimeline: boolean;
  sent: WalRecord | null;
  writeLsn: number;
  flushLsn: number;
  lastReplyMs: number;
  readonly send: (message: ReplicationMessage) => void;
  readonly end: () => void;
}

export function acceptSender(server: PostgresModel, side: Side<ReplicationMessage>): void {
  let sender: Sender | null = null;
  const end = (): void => {
    side.close();
    if (sender !== null) server.senders = server.senders.filter((other) => other !== sender);
  };
  side.onClose = end;
  side.onMessage = (message) => {
    if (message.kind === "start") sender = startSender(server, side, message, end);
    else if (message.kind === "reply" && sender !== null) {
      sender.writeLsn = message.writeLsn;
      sender.flushLsn = message.flushLsn;
      sender.lastReplyMs = server.world.nowMs;
      sender.streaming = true;
      server.release();
    }
  };
}

function startSender(
  server: PostgresModel,
  side: Side<ReplicationMessage>,
  message: Extract<ReplicationMessage, { kind: "start" }>,
  end: () => void,
): Sender | null {
  const refuse = (reason: string): null => {
    side.send({ kind: "refused", reason });
    side.close();
    return null;
  };
  if (server.state !== "running") return refuse("the database system is starting up");
  if (message.systemId !== server.disk.systemId) return refuse("database system identifier differs");
  const { slot } = message;
  // Also while the walsender before it has not noticed that its standby is gone.
  if (slot !== null && server.senders.some((other) => other.slot === slot)) return refuse(`slot ${slot} is active`);
  const reason = refuseFollow(message.head, server.disk.flushed);
  const replays = reason !== null && isPastFork(message.head, server.disk.flushed);
  if (reason !== null && !replays) return refuse(reason);
  if (!replays && !holds(server.disk.flushed, message.head)) {
    server.world.emit({
      kind: "history-mixed",
      node: message.node,
      with: server.node,
      timeline: message.head.timeline,
    });
    return refuse("(the model stops here: PostgreSQL would mix two histories)");
  }
  const sender: Sender = {
    applicationName: message.applicationName,
    node: message.node,
    slot,
    streaming: false,
    replaysOldTimeline: replays,
    sent: message.head,
    writeLsn: message.head.lsn,
    flushLsn: 0,
    lastReplyMs: server.world.nowMs,
    send: (reply) => side.send(reply),
    end,
  };
  server.senders.push(sender);
  side.send({ kind: "started" });
  if (replays) server.world.after(server.world.random.between(5, 80), server.process, end);
  else pumpSender(server, sender);
  return sender;
}

function pumpSender(server: PostgresModel, sender: Sender): void {
  const { flushed } = server.disk;
  if (sender.sent === flushed || sender.replaysOldTimeline) return;
  sender.sent = flushed;
  sender.send({ kind: "wal", upTo: flushed });
}

/** A walsender sends only what its own server has on stable storage. */
export function pumpSenders(server: PostgresModel): void {
  for (const sender of server.senders) pumpSender(server, sender);
}

/** Every second: a sign of life, and an end to those that have been silent for `wal_sender_timeout`. */
export function keepAliveSenders(server: PostgresModel): void {
  for (const sender of server.senders.slice()) {
    if (server.world.nowMs - sender.lastReplyMs > server.timing.walReceiverTimeoutMs) sender.end();
    else sender.send({ kind: "keepalive" });
  }
}
