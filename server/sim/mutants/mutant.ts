import type { AgentHands } from "../agent-parts.ts";
import type { RunOptions } from "../run-seed.ts";

/** A rule deliberately broken, to show that the checkers bite. */
export interface Mutant {
  readonly name: string;
  /** The rule, as it no longer holds. */
  readonly says: string;
  /** Checkers of which one must bite; a breach that another finds does not count. */
  readonly caughtBy: readonly string[];
  /** Broken in the source: the text is replaced in a copy that only this run loads. Production code has no switch for it. */
  readonly source?: {
    readonly of: "core" | "fence";
    /** Path below `server/core`, or the fence's file. */
    readonly file: string;
    readonly find: string;
    readonly replace: string;
  };
  /** Broken in the simulated agent's hands. */
  readonly hands?: Partial<AgentHands>;
  /** Broken in the loop: commands leave before their commit. */
  readonly sendsBeforeCommit?: boolean;
  /** What brings the rule to bear: faults to draw from, members, k, policy. The sound rule runs under the same. */
  readonly run: Pick<RunOptions, "faults" | "nodes" | "k" | "policy" | "async" | "writeEveryMs">;
  /** Seeds within which it must be caught. */
  readonly seeds?: number;
}
