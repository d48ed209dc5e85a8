import type { AnyVerb, CommandOutcome, Grant, HeartbeatReceived, SyncConfiguration } from "../core/index.ts";
import type { TelemetryFrame } from "./telemetry-frame.ts";

/**
 * Frames between an agent and the control plane: JSON text, one frame a message, discriminated by `t`.
 * Path `/agent`. The agent dials out; nothing connects to it.
 *
 * Handshake: agent `hello` → server `challenge` → agent `proof` → server `welcome` (or `refused`, then close).
 * Both sides sign `holdfast/1|<role>|<agentNonce>|<serverNonce>|<agentKey>|<serverKey>` with Ed25519 (role `agent` or `server`), so a signature
 * can be neither replayed nor reflected. The server's key is pinned by the agent at enrolment.
 */

// ---- agent → server ----

export interface HelloFrame {
  readonly t: "hello";
  readonly protocol: number;
  readonly version: string;
  readonly node: string;
  /** Ed25519 public key, raw 32 bytes, base64url. */
  readonly agentKey: string;
  readonly nonce: string;
  readonly bootId: string;
  readonly wallMs: number;
  /** Present on the first connect only: enrols this key under `node`. */
  readonly enrolmentToken?: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Identity of the spool, so that `welcome` can say how far it was applied. */
  readonly spoolId?: string;
}

export interface ProofFrame {
  readonly t: "proof";
  readonly signature: string;
}

/** Scheduled on an absolute grid; `eager` ones are sent at once because something changed. */
export type HeartbeatFrame = { readonly t: "heartbeat" } & Omit<
  HeartbeatReceived,
  "kind" | "node" | "sessionId" | "arrivalMs"
>;

/** Durable records from the agent's spool, in order; acknowledged by `records-ack`, replayed after a reconnect until then. */
export interface RecordsFrame {
  readonly t: "records";
  /** Identity of this spool; a new one (disk replaced) starts again at seq 1. */
  readonly spoolId: string;
  readonly firstSeq: number;
  /** Numbers before `firstSeq` whose records the agent no longer has: its spool was full and the oldest went. Absent: none. */
  readonly skipped?: number;
  readonly records: readonly SpoolRecord[];
}

export type SpoolRecord =
  | { readonly kind: "trace"; readonly at: number; readonly trace: ErrorTrace }
  | {
      readonly kind: "signal";
      readonly at: number;
      /** Message key below `timeline.`. */
      readonly code: string;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    };

export interface ErrorTrace {
  readonly service: string;
  readonly language: "javascript" | "python" | "java" | "go" | "postgres" | "other";
  /** Exception class or SQLSTATE. */
  readonly type: string;
  readonly message: string;
  readonly frames: readonly { readonly function: string; readonly file: string; readonly line: number | null }[];
  readonly traceId: string | null;
  /** How many times it occurred since the last record of the same fingerprint. */
  readonly count: number;
}

export interface ResultFrame {
  readonly t: "result";
  readonly commandId: string;
  readonly outcome: CommandOutcome;
  readonly nodeAt: number;
}

export interface ProgressFrame {
  readonly t: "progress";
  readonly commandId: string;
  readonly progress: number;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

export type AgentFrame =
  | HelloFrame
  | ProofFrame
  | HeartbeatFrame
  | RecordsFrame
  | ResultFrame
  | ProgressFrame
  | TelemetryFrame;

/** As the gateway takes it: a record that was refused is null and keeps its number, so that the spool goes on behind it. */
export interface ReceivedRecords extends Omit<RecordsFrame, "records"> {
  readonly records: readonly (SpoolRecord | null)[];
}

export type ReceivedFrame = Exclude<AgentFrame, RecordsFrame> | ReceivedRecords;

// ---- server → agent ----

export interface ChallengeFrame {
  readonly t: "challenge";
  readonly nonce: string;
  readonly serverKey: string;
  readonly signature: string;
}

export interface WelcomeFrame {
  readonly t: "welcome";
  readonly sessionId: string;
  readonly heartbeatMs: number;
  /** Nodes that this agent is to probe: members of its clusters, and those declared. */
  readonly peers: readonly PeerAssignment[];
  /** The highest spool record applied; the agent drops up to here. */
  readonly recordsUpTo: number;
}

export interface PeerAssignment {
  readonly node: string;
  readonly cluster: string;
  readonly host: string;
  readonly port: number;
}

/** Sent when the set of peers changes, or how often the node is to beat (it became a member, or is none after all). */
export interface PeersFrame {
  readonly t: "peers";
  readonly peers: readonly PeerAssignment[];
  readonly heartbeatMs?: number;
}

/** An asynchronous primary's request of this number is granted: its lease counts from when it made it. */
export interface LeaseFrame {
  readonly t: "lease";
  readonly cluster: string;
  readonly epoch: number;
  readonly ask: number;
}

export interface RefusedFrame {
  readonly t: "refused";
  /** `token-used`, `token-expired`, `token-unknown`, `key-unknown`, `key-revoked`, `name-taken`, `bad-proof`, `protocol`, `clock-skew`, … */
  readonly code: string;
  readonly detail: string;
}

/**
 * A signed command. `signature` is over the canonical JSON of every other field of `envelope` (keys sorted, no spaces).
 * The agent checks in this order: signature, audience (`agentKey`), expiry (counted from the handshake on its own monotonic
 * clock), counter (persisted, strictly growing per server key), duplicate id, grant against its promise, its own allow-list, arguments,
 * preconditions.
 */
export interface CommandFrame {
  readonly t: "command";
  readonly envelope: CommandEnvelope;
  readonly signature: string;
}

export interface CommandEnvelope {
  readonly id: string;
  readonly agentKey: string;
  readonly cluster: string;
  readonly grant: Grant;
  readonly verb: AnyVerb["verb"];
  readonly args: unknown;
  /** Milliseconds of the session (since the handshake) at which it was signed, by the server's monotonic clock. */
  readonly sessionMs: number;
  readonly expiresAfterMs: number;
  readonly counter: number;
}

export interface ResultAckFrame {
  readonly t: "result-ack";
  readonly commandId: string;
}

export interface RecordsAckFrame {
  readonly t: "records-ack";
  readonly spoolId: string;
  readonly upTo: number;
}

export type ServerFrame =
  | ChallengeFrame
  | WelcomeFrame
  | PeersFrame
  | LeaseFrame
  | RefusedFrame
  | CommandFrame
  | ResultAckFrame
  | RecordsAckFrame;

export type { SyncConfiguration };
