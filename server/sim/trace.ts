import type { CommandRecord, Decision, Grant, State, Write } from "../core/index.ts";
import type { WalRecord } from "./wal.ts";
import type { World } from "./world.ts";

/** Everything that checkers and transcripts see of a run. Facts of the world, which no participant knows as a whole. */
export type TraceEvent =
  | {
      readonly kind: "row-acknowledged";
      readonly node: string;
      readonly record: WalRecord;
      readonly asynchronous: boolean;
    }
  | {
      readonly kind: "postgres-started";
      readonly node: string;
      readonly role: "primary" | "standby";
      readonly head: WalRecord;
    }
  | { readonly kind: "postgres-ended"; readonly node: string; readonly how: string }
  | { readonly kind: "postgres-promoted"; readonly node: string; readonly fork: WalRecord; readonly opened: WalRecord }
  /** A primary has come up and takes users; `head` is the newest record that they can see. */
  | { readonly kind: "users-let-in"; readonly node: string; readonly head: WalRecord }
  /** A standby passed PostgreSQL's own test though its content is foreign, or a rewind saw nothing to do. */
  | { readonly kind: "history-mixed"; readonly node: string; readonly with: string; readonly timeline: number }
  | {
      readonly kind: "grant-accepted";
      readonly node: string;
      readonly grant: Grant;
      readonly verb: string;
      readonly commandId: string;
    }
  | { readonly kind: "command-began"; readonly node: string; readonly command: CommandRecord }
  | {
      readonly kind: "command-ended";
      readonly node: string;
      readonly commandId: string;
      readonly verb: string;
      readonly status: string;
      readonly detail: string;
    }
  | { readonly kind: "command-sent"; readonly command: CommandRecord }
  /** At the control plane, before it is taken in; and before its acknowledgement leaves. */
  | { readonly kind: "result-arrived"; readonly node: string; readonly commandId: string }
  | { readonly kind: "result-acknowledged"; readonly node: string; readonly commandId: string }
  | {
      readonly kind: "control-decided";
      readonly decision: Decision;
      readonly state: State;
      readonly wallMs: number;
    }
  | { readonly kind: "control-committed"; readonly writes: readonly Write[] }
  | { readonly kind: "control-started" }
  | { readonly kind: "control-ended"; readonly boundary: string | null }
  | {
      readonly kind: "operator-answered";
      readonly request: string;
      readonly ok: boolean;
      readonly code: string | null;
    }
  | { readonly kind: "fault-began"; readonly fault: string; readonly subject: string; readonly id: number }
  | { readonly kind: "fault-ended"; readonly fault: string; readonly subject: string; readonly id: number }
  /** Something that can't be true whatever the checkers think: an assertion of the model itself. */
  | { readonly kind: "model-violated"; readonly text: string };

export type SimWorld = World<TraceEvent>;
