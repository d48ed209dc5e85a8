import type { RecoveryAction } from "../core/index.ts";

export interface RecoveryOutcome {
  readonly ok: boolean;
  /** A sentence for the record. */
  readonly detail: string;
}

/** Whoever can start services again and take releases back where they run. Never throws; asking twice does no harm. */
export interface ServiceSupervisor {
  /** Services it can act on, and how. */
  can(action: RecoveryAction, service: string): boolean;
  act(action: RecoveryAction, service: string): Promise<RecoveryOutcome>;
}
