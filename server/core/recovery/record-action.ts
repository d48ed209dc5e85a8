import {
  appendAudit,
  type Draft,
  demand,
  dropCommands,
  getAction,
  nextActionId,
  patchAction,
  putAction,
} from "../draft.ts";
import { appendActionEntry, linkAction } from "../incident/timeline.ts";
import type { Action, ActionKind, ActionPhase } from "./types.ts";

/** What an intent says before it has an id: the same of a PostgreSQL cluster and of Redis. */
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

/** What the record of a cluster says about its grants. `subject` as the audit names it. */
export interface GrantRecord {
  readonly subject: string;
  readonly epoch: number;
  readonly highestEpoch: number;
  readonly grantId: string | null;
}

/** Records the intent: action, incident, timeline, audit. Nothing is sent before it was committed. */
export function recordIntent(draft: Draft, intent: ActionDraft, record: GrantRecord): Action {
  const id = nextActionId(draft);
  const epoch = intent.opensEpoch ? record.highestEpoch + 1 : record.epoch;
  const action: Action = {
    id,
    kind: intent.kind,
    cluster: intent.cluster,
    phase: "running",
    state: intent.state,
    intentId: intent.opensEpoch ? `${id}.${draft.now.entropy}` : (record.grantId ?? `${id}.${draft.now.entropy}`),
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
  if (intent.incidentId !== null) linkAction(draft, intent.incidentId, id);
  appendActionEntry(draft, id, `${intent.kind}-started`, { node: intent.target ?? intent.from ?? null, epoch });
  appendAudit(draft, {
    actor: intent.by,
    actorRole: intent.automatic ? "system" : "operator",
    verb: `${intent.kind}-started`,
    subject: record.subject,
    before: null,
    after: { action: id, epoch, ...(intent.target == null ? {} : { target: intent.target }) },
    reason: intent.reason,
  });
  return action;
}

/** Closes the action: commands under way are dropped, steps without an answer are of unknown result. False when it had ended before. */
export function closeAction(
  draft: Draft,
  actionId: string,
  phase: Exclude<ActionPhase, "running">,
  failure: Action["failure"],
): boolean {
  const before = demand(getAction(draft, actionId), actionId);
  if (before.phase !== "running") return false;
  dropCommands(draft, actionId, `action-${phase}`);
  const steps = before.steps.map((step) =>
    step.status === "running" ? { ...step, status: "unknown" as const, endedAt: draft.now.wallMs } : step,
  );
  patchAction(draft, actionId, { phase, failure, steps, endedAt: draft.now.wallMs });
  return true;
}

/** The end on the timeline and in the audit, beside the grant that is in force then. */
export function recordEnd(
  draft: Draft,
  actionId: string,
  record: { readonly subject: string; readonly epoch: number; readonly primary: string | null },
): void {
  const { kind, phase, target, epoch, startedAt, failure, by, automatic, reason } = demand(
    getAction(draft, actionId),
    actionId,
  );
  appendActionEntry(draft, actionId, `${kind}-${phase}`, {
    node: target,
    epoch,
    durationMs: draft.now.wallMs - startedAt,
    code: failure?.code ?? null,
  });
  appendAudit(draft, {
    actor: by,
    actorRole: automatic ? "system" : "operator",
    verb: `${kind}-${phase}`,
    subject: record.subject,
    before: null,
    after: {
      action: actionId,
      epoch: record.epoch,
      primary: record.primary,
      ...(failure === null ? {} : { failure: failure.code }),
    },
    reason,
  });
}
