import type { Stage } from "./stage.ts";

/** What a cluster looks like before something happens to it. */
export interface Shape {
  readonly members: 3 | 5;
  /** Synchronous standbys that each commit waits for. */
  readonly k: 1 | 2;
  /** Size of each member's disk in MiB; null: the machine's own. */
  readonly diskMiB: number | null;
}

export const usualShape: Shape = { members: 3, k: 1, diskMiB: null };

export function nameShape(shape: Shape): string {
  return `${shape.members} members, ANY ${shape.k}${shape.diskMiB === null ? "" : `, ${shape.diskMiB} MiB each`}`;
}

/**
 * What has to come of it, besides the two promises that always hold (nothing acknowledged is lost, nothing is acknowledged twice) and a
 * whole cluster at the end. `elsewhere`: another node acknowledges writes. `anywhere`: somebody does. `stays`: same primary, same epoch.
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

/** Something of the list that is not tried, and why. */
export interface Untried {
  readonly name: string;
  readonly why: string;
}
