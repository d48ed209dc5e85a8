import type { Asynchronous } from "../plain/installation.ts";
import type { Stage } from "./stage.ts";

/** What a cluster looks like before something happens to it. */
export interface Shape {
  readonly members: 3 | 5;
  /** Synchronous standbys that each commit waits for. */
  readonly k: 1 | 2;
  /** Size of each member's disk in MiB; null: the machine's own. */
  readonly diskMiB: number | null;
  /** Null: synchronous. */
  readonly asynchronous: Asynchronous | null;
}

export const usualShape: Shape = { members: 3, k: 1, diskMiB: null, asynchronous: null };

export function nameShape({ members, k, diskMiB, asynchronous }: Shape): string {
  const commits = asynchronous === null ? `ANY ${k}` : `asynchronous, ${asynchronous.hooks ? "with" : "without"} hooks`;
  return `${members} members, ${commits}${diskMiB === null ? "" : `, ${diskMiB} MiB each`}`;
}

/**
 * What has to come of it, besides the two promises that always hold (nothing acknowledged is lost, in an asynchronous cluster no more than
 * was announced; nothing is acknowledged twice) and a whole cluster at the end. `elsewhere`: another node acknowledges writes. `anywhere`: somebody does. `stays`: same primary, same epoch.
 * `either`: staying and moving are both right.
 */
export type Outcome = "elsewhere" | "anywhere" | "stays" | "either";

export interface Scenario {
  readonly name: string;
  /** The story in one line. */
  readonly says: string;
  readonly shape?: Partial<Shape>;
  readonly expects: Outcome;
  /** For what is done on purpose: the time that counts is the longest one without an acknowledged write. */
  readonly measures?: "pause";
  /** Causes it and undoes it. Time counts from the stage's last `mark()`. */
  play(stage: Stage): Promise<void>;
}
