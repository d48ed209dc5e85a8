import type { OneTimeTokens } from "../auth/one-time-tokens.ts";
import type { SignIn } from "../auth/sign-in.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControlPlane } from "../ports/control.ts";
import type { IdentityStore } from "../ports/identity.ts";
import type { Locks, OwnLocks } from "../ports/locks.ts";
import type { SampleStore } from "../ports/samples.ts";
import type { AgentDirectory, ReadStore } from "../ports/store.ts";
import type { TelemetryStore } from "../ports/telemetry.ts";
import type { TraceStore } from "../ports/traces.ts";

/** What the routes work with; `main` puts it together. */
export interface HttpServices {
  readonly clock: Clock;
  readonly control: ControlPlane;
  readonly telemetry: TelemetryStore;
  readonly locks: Locks;
  readonly ownLocks: OwnLocks;
  readonly reads: ReadStore;
  readonly samples: SampleStore;
  readonly traces: TraceStore;
  readonly directory: AgentDirectory;
  readonly identity: IdentityStore;
  /** Null until the database was reached for the first time. */
  signIn(): SignIn | null;
  /** SHA-256 of the token that lies in the data directory for the command line on this machine; null: none. */
  localTokenHash(): string | null;
  readonly setupTokens: OneTimeTokens;
  readonly signInTokens: OneTimeTokens;
  readonly version: string;
  /** Where browsers reach this server. */
  readonly baseUrl: string;
  isAllowedOrigin(origin: string): boolean;
  /** Only while the demo's supervisor runs beside this server. */
  readonly demo: { readonly url: string; readonly token: string } | null;
  isReady(): boolean;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  log(level: "info" | "warn" | "error", message: string, detail: Readonly<Record<string, unknown>>): void;
}
