import { appendAudit, type Draft, getAction, getCluster, patchCluster } from "../draft.ts";
import type { Actor, OperatorRequest } from "../event.ts";

type Request = Extract<OperatorRequest, { kind: "set-durability" }>;
type Refusal = { readonly code: string; readonly data: Readonly<Record<string, string | number | null>> };

/**
 * Changes what a cluster promises. Only the record: the synchronous set follows by its own protocol, and until that is through both
 * promises are reckoned with. Null when it is done.
 */
export function setDurability(draft: Draft, request: Request, actor: Actor): Refusal | null {
  const cluster = getCluster(draft, request.cluster);
  if (cluster === null) return { code: "unknown-cluster", data: { cluster: request.cluster } };
  const open = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  if (open !== null && open.kind !== "reconfigure") return { code: "action-open", data: { action: open.id } };
  const standbys = Object.keys(cluster.members).length - 1;
  const { durability } = request;
  if (durability.mode === "sync" && durability.k > standbys)
    return { code: "too-few-standbys", data: { k: durability.k, standbys } };
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb: "durability-set",
    subject: `cluster:${cluster.id}`,
    before: { ...cluster.durability },
    after: { ...durability },
    reason: request.reason,
  });
  patchCluster(draft, cluster.id, { durability });
  return null;
}
