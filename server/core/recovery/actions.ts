import {
  appendAudit,
  type Draft,
  demand,
  dropCommands,
  getAction,
  getCluster,
  nextActionId,
  patchAction,
  patchCluster,
  putAction,
} from "../draft.ts";
import { appendActionEntry, linkAction } from "../incident/timeline.ts";
import type { Action, ActionKind, ActionPhase } from "./types.ts";
import { stopWaitingFor } from "./waiting.ts";

/** Kinds of which only one may be open in a cluster at a time: they change who is primary or which commits count. */
const exclusive: ReadonlySet<ActionKind> = new Set([
  "initialize",
  "adopt",
  "failover",
  "switchover",
  "reconfigure",
  "restart",
]);

export interface ActionDraft {
  readonly kind: ActionKind;
  readonly cluster: string;
  readonly state: string;
  readonly by: string;
  readonly automatic: boolean;
  readonly reason: string;
  readonly incidentId: string | null;
  readonly from?: string | null;
  readonly target?: string | null;
  readonly firstSignalAt?: number | null;
  /** True when the intent opens a new epoch. */
  readonly opensEpoch: boolean;
}

/** Records the intent. Nothing is sent before it was committed. */
export function beginAction(draft: Draft, intent: ActionDraft): Action {
  if (exclusive.has(intent.kind)) makeRoom(draft, intent.cluster);
  const cluster = demand(getCluster(draft, intent.cluster), intent.cluster);
  const id = nextActionId(draft);
  const epoch = intent.opensEpoch ? cluster.highestEpoch + 1 : cluster.epoch;
  const action: Action = {
    id,
    kind: intent.kind,
    cluster: intent.cluster,
    phase: "running",
    state: intent.state,
    intentId: intent.opensEpoch ? `${id}.${draft.now.entropy}` : (cluster.grantId ?? `${id}.${draft.now.entropy}`),
    epoch,
    by: intent.by,
    automatic: intent.automatic,
    reason: intent.reason,
    incidentId: intent.incidentId,
    from: intent.from ?? null,
    target: intent.target ?? null,
    steps: [],
    sealed: [],
    candidates: [],
    startedAt: draft.now.wallMs,
    endedAt: null,
    firstSignalAt: intent.firstSignalAt ?? null,
    decidedAt: draft.now.wallMs,
    promoteSent: false,
    configuration: null,
    failure: null,
  };
  putAction(draft, action);
  if (intent.opensEpoch) patchCluster(draft, cluster.id, { highestEpoch: epoch });
  if (exclusive.has(intent.kind)) patchCluster(draft, cluster.id, { openActionId: id });
  if (intent.incidentId !== null) linkAction(draft, intent.incidentId, id);
  appendActionEntry(draft, id, `${intent.kind}-started`, { node: intent.target ?? intent.from ?? null, epoch });
  appendAudit(draft, {
    actor: intent.by,
    actorRole: intent.automatic ? "system" : "operator",
    verb: `${intent.kind}-started`,
    subject: `cluster:${cluster.id}`,
    before: null,
    after: { action: id, epoch, ...(intent.target == null ? {} : { target: intent.target }) },
    reason: intent.reason,
  });
  return action;
}

/** A change of the synchronous set gives way; two changes of the primary at once would be a bug of the caller. */
function makeRoom(draft: Draft, clusterId: string): void {
  const openId = demand(getCluster(draft, clusterId), clusterId).openActionId;
  if (openId === null) return;
  const open = demand(getAction(draft, openId), openId);
  if (open.kind !== "reconfigure") throw new Error(`invariant: ${openId} (${open.kind}) is still open in ${clusterId}`);
  endAction(draft, openId, "aborted", { code: "superseded", data: {} });
}

export function endAction(
  draft: Draft,
  actionId: string,
  phase: Exclude<ActionPhase, "running">,
  failure: Action["failure"],
): void {
  const before = demand(getAction(draft, actionId), actionId);
  if (before.phase !== "running") return;
  dropCommands(draft, actionId, `action-${phase}`);
  stopWaitingFor(draft, before.cluster, actionId);
  const steps = before.steps.map((step) =>
    step.status === "running" ? { ...step, status: "unknown" as const, endedAt: draft.now.wallMs } : step,
  );
  patchAction(draft, actionId, { phase, failure, steps, endedAt: draft.now.wallMs });
  const cluster = demand(getCluster(draft, before.cluster), before.cluster);
  if (before.kind === "reconfigure" && before.state === "learning" && phase !== "done") forgetUnapplied(draft, before);
  if (cluster.openActionId === actionId) patchCluster(draft, cluster.id, { openActionId: null });
  appendActionEntry(draft, actionId, `${before.kind}-${phase}`, {
    node: before.target,
    epoch: before.epoch,
    durationMs: draft.now.wallMs - before.startedAt,
    code: failure?.code ?? null,
  });
  appendAudit(draft, {
    actor: before.by,
    actorRole: before.automatic ? "system" : "operator",
    verb: `${before.kind}-${phase}`,
    subject: `cluster:${before.cluster}`,
    before: null,
    after: {
      action: actionId,
      epoch: cluster.epoch,
      primary: cluster.primary,
      ...(failure === null ? {} : { failure: failure.code }),
    },
    reason: before.reason,
  });
}

/** A configuration that was never sent to the primary can't be in force: it need not be reckoned with any longer. */
function forgetUnapplied(draft: Draft, action: Action): void {
  const cluster = demand(getCluster(draft, action.cluster), action.cluster);
  const version = action.configuration?.version;
  patchCluster(draft, cluster.id, {
    configurations: cluster.configurations.filter((item) => item.version !== version),
  });
}
