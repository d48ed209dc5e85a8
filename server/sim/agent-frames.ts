import type { CommandOutcome, CommandRecord } from "../core/index.ts";
import type { HeartbeatFrame } from "../protocol/index.ts";

/** Frames of the session after its handshake. Signatures are left out: the simulator has no forger (yet). */
export type AgentMessage =
  | { readonly kind: "hello"; readonly node: string; readonly bootId: string }
  | { readonly kind: "heartbeat"; readonly frame: HeartbeatFrame }
  | { readonly kind: "result"; readonly commandId: string; readonly outcome: CommandOutcome; readonly nodeAt: number }
  | { readonly kind: "ping" };

export type ServerMessage =
  | { readonly kind: "welcome" }
  | { readonly kind: "command"; readonly command: CommandRecord }
  | { readonly kind: "result-ack"; readonly commandId: string }
  | { readonly kind: "lease"; readonly epoch: number; readonly ask: number }
  | { readonly kind: "pong" };

/** Either direction of the session. */
export type SessionMessage = AgentMessage | ServerMessage;
