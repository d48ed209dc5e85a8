import type { ChangeRequest } from "./changes/requests.ts";
import type { ProgramStatus } from "./changes/types.ts";
import type { Localization, RecoveryAction, Suspect } from "./incident/types.ts";
import type { SeasonalProfile } from "./monitoring/baseline.ts";
import type { MetricId, RuleNumbers } from "./monitoring/rules.ts";
import type { CauseRule } from "./policy/types.ts";
import type { CommandOutcome } from "./recovery/command.ts";
import type { Durability } from "./recovery/types.ts";
import type { RedisRequest } from "./redis/operator-request.ts";
import type { RedisStatus } from "./redis/status.ts";
import type { CheckResult, HostMetrics, PeerSight, PostgresStatus, WorkloadReport } from "./replication/status.ts";
import type { KeySpaceRequest } from "./ring/requests.ts";
import type { ServiceMeasure } from "./service/types.ts";
import type { Maintenance, NodeRecord } from "./topology/types.ts";

/** Everything that can happen to the control plane. Past tense: these are facts. */
export type Event =
  | {
      readonly kind: "agent-connected";
      readonly node: string;
      readonly sessionId: string;
      readonly bootId: string;
      readonly version: string;
      readonly address: string;
    }
  /** `closed`: FIN, RST or an error ended the socket. */
  | { readonly kind: "agent-disconnected"; readonly node: string; readonly sessionId: string; readonly reason: string }
  | HeartbeatReceived
  | {
      readonly kind: "command-finished";
      readonly node: string;
      readonly commandId: string;
      readonly outcome: CommandOutcome;
      readonly nodeAt: number;
    }
  | {
      readonly kind: "command-progressed";
      readonly node: string;
      readonly commandId: string;
      readonly progress: number;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    }
  | { readonly kind: "node-enrolled"; readonly node: NodeRecord }
  | {
      readonly kind: "signal-recorded";
      readonly node: string;
      readonly code: string;
      readonly nodeAt: number;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    }
  /** From the stored samples: what is usual for a subject at each hour of the day. */
  | {
      readonly kind: "profiles-learned";
      readonly subject: string;
      readonly profiles: Readonly<Partial<Record<MetricId, SeasonalProfile>>>;
    }
  | OperatorRequested
  | { readonly kind: "services-measured"; readonly services: readonly ServiceMeasure[] }
  | FaultLocalized
  | {
      readonly kind: "recovery-finished";
      readonly incidentId: string;
      /** Of the request that this answers, as the incident has it. May come more than once. */
      readonly requestedAt: number;
      readonly ok: boolean;
      readonly detail: string;
    }
  | { readonly kind: "ticked" }
  | { readonly kind: "stall-noticed"; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: "store-lost" }
  | { readonly kind: "store-returned" };

export interface HeartbeatReceived {
  readonly kind: "heartbeat-received";
  readonly node: string;
  readonly sessionId: string;
  readonly seq: number;
  readonly bootId: string;
  readonly monoMs: number;
  readonly wallMs: number;
  /** When the frame came in, our monotonic clock, before any queue. */
  readonly arrivalMs: number;
  /** Sent at once because something changed; not counted as a beat of the grid. */
  readonly eager: boolean;
  readonly loopLagMs: number;
  readonly host: HostMetrics | null;
  readonly postgres: PostgresStatus | null;
  /** Redis servers beside the agent; absent when there is none. */
  readonly redis?: readonly RedisStatus[];
  readonly peers: readonly PeerSight[];
  readonly checks: readonly CheckResult[];
  readonly workloads: readonly WorkloadReport[];
  /** Plain services with releases; absent when the agent has none. */
  readonly programs?: readonly ProgramStatus[] | undefined;
  /** Nodes that this agent has a fencing hook for; absent when none. */
  readonly fences?: readonly string[] | undefined;
}

/** The localizer's answer to an open incident, from the telemetry at hand. */
export interface FaultLocalized {
  readonly kind: "fault-localized";
  readonly incidentId: string;
  readonly suspects: readonly Suspect[];
  readonly localization: Localization;
  /** What can be done about the first suspect here; null when nothing. */
  readonly remedy: { readonly action: RecoveryAction; readonly service: string } | null;
}

export interface Actor {
  readonly id: string;
  readonly name: string;
  readonly role: "viewer" | "operator" | "admin" | "system";
}

/** What a person (or a token) asks for. Answered through `Decision.replies` by `requestId`. */
export interface OperatorRequested {
  readonly kind: "operator-requested";
  readonly requestId: string;
  readonly actor: Actor;
  readonly request: OperatorRequest;
}

export type OperatorRequest =
  | RedisRequest
  | KeySpaceRequest
  | ChangeRequest
  | {
      readonly kind: "resolve-in-doubt";
      readonly cluster: string;
      readonly gid: string;
      readonly database: string;
      readonly decision: "commit" | "rollback";
      readonly reason: string;
    }
  | {
      readonly kind: "failover";
      readonly cluster: string;
      readonly target: string | null;
      readonly planHash: string;
      readonly reason: string;
      /** Asynchronous mode: the person confirms that this node is down, typed by its name. */
      readonly confirmDown?: string | undefined;
      /** Asynchronous mode: the possible loss that was shown, null when it was unknown; absent: no more than the cluster's own limit. */
      readonly acceptLossBytes?: number | null | undefined;
    }
  | {
      readonly kind: "switchover";
      readonly cluster: string;
      readonly target: string;
      readonly planHash: string;
      readonly reason: string;
    }
  | { readonly kind: "rejoin"; readonly cluster: string; readonly node: string; readonly reason: string }
  | { readonly kind: "abort-action"; readonly actionId: string; readonly reason: string }
  | {
      readonly kind: "set-automation";
      readonly cluster: string;
      readonly state: "on" | "held";
      readonly reason: string;
    }
  | {
      readonly kind: "set-durability";
      readonly cluster: string;
      readonly durability: Durability;
      readonly reason: string;
    }
  | { readonly kind: "set-cluster-maintenance"; readonly cluster: string; readonly maintenance: Maintenance | null }
  | { readonly kind: "set-node-maintenance"; readonly node: string; readonly maintenance: Maintenance | null }
  | { readonly kind: "acknowledge-incident"; readonly incidentId: string }
  | { readonly kind: "resolve-incident"; readonly incidentId: string; readonly reason: string }
  | { readonly kind: "close-incident"; readonly incidentId: string }
  | { readonly kind: "reopen-incident"; readonly incidentId: string; readonly reason: string }
  | { readonly kind: "recover-service"; readonly incidentId: string }
  | { readonly kind: "set-cause-policy"; readonly cause: string; readonly rule: CauseRule }
  | { readonly kind: "add-note"; readonly incidentId: string; readonly text: string }
  | {
      readonly kind: "set-monitor-rule";
      readonly rule: string;
      /** Null: the defaults. */
      readonly numbers: RuleNumbers | null;
      readonly reason: string;
    }
  | {
      readonly kind: "declare-dependency";
      readonly from: string;
      readonly to: string;
      readonly declared: boolean;
      readonly reason: string;
    }
  | { readonly kind: "revoke-node"; readonly node: string; readonly reason: string };
