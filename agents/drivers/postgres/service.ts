import type { Watchdog } from "../../shared/watchdog.ts";
import type { RunAs } from "./processes.ts";

/** One PostgreSQL server as the agent's configuration describes it. */
export interface PostgresService {
  readonly node: string;
  readonly cluster: string;
  /** Where the agent reaches its own server. */
  readonly host: string;
  readonly port: number;
  /** Where peers and clients reach it. */
  readonly advertise: { readonly host: string; readonly port: number };
  readonly binDir: string;
  readonly dataDir: string;
  readonly user: string;
  readonly password: string | null;
  readonly runAs: RunAs | null;
  /** Fixed argument vectors of a service manager, or null when the agent starts the server itself. */
  readonly manager: { readonly start: readonly string[]; readonly stop: readonly string[] } | null;
  readonly initialize: boolean;
  /** Authentication that `initialize` sets up, and the networks it lets in. */
  readonly authentication: "scram-sha-256" | "trust";
  readonly allowFrom: readonly string[];
  /** Databases that `initialize` makes, each with its owning role. */
  readonly databases: readonly { readonly name: string; readonly owner: string; readonly password: string | null }[];
  /** Further settings for this server; owned settings win. */
  readonly settings: Readonly<Record<string, string>>;
  /** The agent's own directory, for logs and what is set aside. */
  readonly stateDir: string;
  /** Resets the machine when an asynchronous primary would outlive its lease; null where there is none. */
  readonly watchdog: Watchdog | null;
  /** End PostgreSQL when the agent is ended. */
  readonly stopWithAgent: boolean;
}
