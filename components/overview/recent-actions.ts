import type { ActionView, ClusterView } from "../../server/protocol/index.ts";

/** One line of "Last actions", from a live action or from a cluster's history of epochs. */
export interface RecentAction {
  readonly key: string;
  readonly kind: ActionView["kind"] | "regrant";
  readonly phase: ActionView["phase"];
  readonly cluster: string;
  readonly target: string | null;
  readonly automatic: boolean;
  readonly by: string;
  readonly reason: string;
  readonly at: number;
  readonly tookMs: number | null;
  readonly incidentId: string | null;
}

/** Newest first. Actions of closed incidents are no longer in the feed; the epochs still tell of them. */
export function recentActions(
  actions: readonly ActionView[],
  clusters: readonly ClusterView[],
  limit: number,
): readonly RecentAction[] {
  const known = new Set(actions.map((action) => action.id));
  const fromActions = actions
    .filter((action) => action.kind !== "reconfigure" || action.phase !== "done")
    .map(
      (action): RecentAction => ({
        key: action.id,
        kind: action.kind,
        phase: action.phase,
        cluster: action.cluster,
        target: action.target,
        automatic: action.automatic,
        by: action.by,
        reason: action.reason,
        at: action.startedAt,
        tookMs: action.endedAt === null ? null : action.endedAt - action.startedAt,
        incidentId: action.incidentId,
      }),
    );
  const fromEpochs = clusters.flatMap((cluster) =>
    cluster.epochs
      .filter((epoch) => epoch.actionId === null || !known.has(epoch.actionId))
      .map(
        (epoch): RecentAction => ({
          key: `${cluster.id}:${epoch.epoch}`,
          kind: epoch.cause,
          phase: "done",
          cluster: cluster.id,
          target: epoch.primary,
          automatic: epoch.by === "holdfast" || epoch.by === "system",
          by: epoch.by,
          reason: epoch.reason,
          at: epoch.at,
          tookMs: epoch.unavailableMs,
          incidentId: null,
        }),
      ),
  );
  return [...fromActions, ...fromEpochs].sort((a, b) => b.at - a.at).slice(0, limit);
}
