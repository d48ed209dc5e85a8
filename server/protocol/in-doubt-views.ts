import type { InDoubtPlace, InDoubtTransaction } from "../core/index.ts";

/** A prepared transaction of a watched database, as its primary last told. */
export interface InDoubtView extends InDoubtTransaction {
  readonly cluster: string;
  readonly node: string;
  /** Wall-clock milliseconds. */
  readonly preparedAt: number;
  readonly change: string | null;
  readonly decision: InDoubtPlace["decision"];
  /** What its change decided before it was closed: how the other participants ended. Null when that is not so, or nobody knows. */
  readonly decided: "commit" | "abort" | null;
}
