import type { RunAs } from "../postgres/processes.ts";

/** A plain service with releases, as the agent's configuration describes it; paths are absolute. */
export interface ProgramService {
  readonly name: string;
  /** Holds `releases/<version>/` and the switch `current`. */
  readonly dir: string;
  /** Run in `current`, without a shell; null: a unit of systemd runs it. */
  readonly command: readonly string[] | null;
  readonly unit: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly health: ProgramHealth | null;
  readonly runAs: RunAs | null;
  readonly files: readonly ProgramFile[];
  /** From the start until the health check must have passed once. */
  readonly startWithinMs: number;
  readonly stopWithinMs: number;
  readonly stateDir: string;
  readonly stopWithAgent: boolean;
}

export type ProgramHealth =
  | { readonly kind: "http"; readonly url: string; readonly everyMs: number; readonly timeoutMs: number }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly everyMs: number;
      readonly timeoutMs: number;
    };

export interface ProgramFile {
  readonly name: string;
  readonly path: string;
  /** The service's own checker; `{file}` stands for the file to look at. Null: none. */
  readonly check: readonly string[] | null;
  /** How the service takes it: a signal, a command, or a restart. */
  readonly reload: "restart" | { readonly signal: NodeJS.Signals } | { readonly command: readonly string[] };
}
