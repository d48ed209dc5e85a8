import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { findRoute } from "./fencing.ts";
import { foreseeLoss, isOverLimit } from "./loss.ts";
import type { ClusterRecord, Plan, PlanCheck } from "./types.ts";

/** What a plan for an asynchronous cluster shows instead of a quorum: who could take over, what it may cost, how the old primary is fenced. */

export type AddCheck = (
  code: string,
  status: PlanCheck["status"],
  value: string,
  limit: string | null,
  data?: PlanCheck["data"],
) => void;

export function addAsyncChecks(
  state: State,
  cluster: ClusterRecord,
  kind: Plan["kind"],
  sealable: readonly string[],
  now: Now,
  add: AddCheck,
): void {
  add("standbys", sealable.length > 0 ? "pass" : "block", `${sealable.length}`, "≥ 1");
  if (kind !== "failover" || cluster.durability.mode !== "async") return;
  const route = findRoute(state, cluster, sealable, now);
  add("fencing", route === "operator" ? "warn" : "pass", route, null, { node: cluster.primary, route });
  const loss = foreseeLoss(state, cluster, sealable, now);
  const limit = cluster.durability.maxLagBytes;
  const bytes = loss.atMostBytes;
  add(
    "possible-loss",
    isOverLimit(loss, limit) ? "warn" : "pass",
    bytes === null ? "?" : `${bytes} B`,
    `≤ ${limit} B`,
    {
      bytes,
      knownBytes: loss.knownBytes,
    },
  );
}

/** What stands on the plan's head: how the old primary would be fenced, and what may be lost. */
export function foreseeAsync(
  state: State,
  cluster: ClusterRecord,
  kind: Plan["kind"],
  sealable: readonly string[],
  now: Now,
): Pick<Plan, "possibleLossBytes" | "fencing"> {
  // A planned change waits for the last byte.
  if (cluster.durability.mode !== "async" || kind !== "failover") return { possibleLossBytes: 0, fencing: null };
  return {
    possibleLossBytes: foreseeLoss(state, cluster, sealable, now).atMostBytes,
    fencing: findRoute(state, cluster, sealable, now),
  };
}
