import type { ProgramStatus } from "../changes/types.ts";
import type { DetectorState } from "../detection/accrual.ts";
import type { RedisStatus } from "../redis/status.ts";
import type { CheckResult, HostMetrics, PeerSight, PostgresStatus, WorkloadReport } from "../replication/status.ts";

/** A node that enrolled. Durable. */
export interface NodeRecord {
  /** Unique name, `[a-z0-9-]{1,40}`; bound to the key at enrolment. */
  readonly id: string;
  /** Ed25519 public key, base64url. Identity is the key, never the name. */
  readonly publicKey: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly enrolledAt: number;
  readonly revokedAt: number | null;
  readonly maintenance: Maintenance | null;
}

export interface Maintenance {
  readonly muteAlerts: boolean;
  readonly holdAutomation: boolean;
  readonly by: string;
  readonly reason: string;
  /** Wall-clock end; null means until a person ends it. */
  readonly until: number | null;
}

/** What the control plane has last heard of a node. Live: lost at a restart, and rebuilt by the next heartbeats. */
export interface NodeLive {
  readonly id: string;
  connected: boolean;
  sessionId: string | null;
  bootId: string | null;
  agentVersion: string | null;
  address: string | null;
  /** When the session was opened or closed, our monotonic clock. */
  connectedAtMs: number;
  closedAtMs: number | null;
  /** Why the socket ended: `closed` by FIN, RST or an error; `silent` when the gateway gave up on it. */
  closeReason: string | null;
  lastFrameAtMs: number;
  detector: DetectorState;
  lastBeatSeq: number;
  /** Milliseconds by which the node's wall clock is ahead of ours. */
  clockOffsetMs: number | null;
  agentLoopLagMs: number | null;
  host: HostMetrics | null;
  postgres: PostgresStatus | null;
  redis: readonly RedisStatus[];
  /** When `postgres` came in, our monotonic clock. */
  statusAtMs: number;
  peers: readonly PeerSight[];
  checks: readonly CheckResult[];
  workloads: readonly WorkloadReport[];
  programs?: readonly ProgramStatus[];
  /** Nodes that this agent has a fencing hook for. */
  fences?: readonly string[];
}
