import type { RedisMode } from "../../../server/core/index.ts";

/** One Redis server as the agent's configuration describes it. */
export interface RedisService {
  readonly node: string;
  readonly cluster: string;
  /** Name of the server within its cluster. */
  readonly instance: string;
  readonly mode: RedisMode;
  /** Where the agent reaches its own server. */
  readonly host: string;
  readonly port: number;
  /** Where peers and clients reach it. */
  readonly advertise: { readonly host: string; readonly port: number };
  readonly user: string | null;
  readonly password: string | null;
  /** The agent starts and stops the server; null: something else does, and the agent only talks to it. */
  readonly managed: {
    readonly program: string;
    readonly dir: string;
    readonly runAs: { readonly uid: number; readonly gid: number } | null;
    /** Becomes the first master of a new replica set. */
    readonly initialize: boolean;
    /** Further settings; those the agent owns win. */
    readonly settings: Readonly<Record<string, string>>;
  } | null;
  readonly stateDir: string;
  /** End Redis when the agent is ended. */
  readonly stopWithAgent: boolean;
}
