import type { Document } from "./documents.ts";
import type { AuditDraft, Decision, LeaseRenewal, Reply, Write } from "./effect.ts";
import type { Evidence, Incident, Lane, Note, Subject, TimelineEntry } from "./incident/types.ts";
import type { CommandRecord, Verb } from "./recovery/command.ts";
import type { Action, ClusterRecord } from "./recovery/types.ts";
import type { Counters, State } from "./state.ts";
import type { Now } from "./time.ts";
import type { NodeRecord } from "./topology/types.ts";

/**
 * What a batch of events is about to change: an overlay over the durable state. Reading goes through the overlay, so that
 * later judgements in the batch see earlier ones; nothing of the durable state is touched until the overlay was committed.
 */
export interface Draft {
  readonly state: State;
  readonly now: Now;
  readonly nodes: Map<string, NodeRecord>;
  readonly clusters: Map<string, ClusterRecord>;
  readonly incidents: Map<string, Incident>;
  readonly actions: Map<string, Action>;
  readonly commands: Map<string, CommandRecord>;
  readonly documents: Map<string, Document>;
  readonly finished: Map<string, unknown>;
  counters: Counters;
  commandCount: number;
  readonly log: Write[];
  readonly send: CommandRecord[];
  readonly replies: Reply[];
  readonly acknowledge: { node: string; commandId: string }[];
  readonly renewals: LeaseRenewal[];
  readonly touched: Set<string>;
  wakeAtMs: number | null;
}

export function createDraft(state: State, now: Now): Draft {
  return {
    state,
    now,
    nodes: new Map(),
    clusters: new Map(),
    incidents: new Map(),
    actions: new Map(),
    commands: new Map(),
    documents: new Map(),
    finished: new Map(),
    counters: state.durable.counters,
    commandCount: 0,
    log: [],
    send: [],
    replies: [],
    acknowledge: [],
    renewals: [],
    touched: new Set(),
    wakeAtMs: null,
  };
}

export function getNode(draft: Draft, id: string): NodeRecord | null {
  return draft.nodes.get(id) ?? draft.state.durable.nodes.get(id) ?? null;
}

export function putNode(draft: Draft, value: NodeRecord): void {
  draft.nodes.set(value.id, value);
  draft.touched.add(`node:${value.id}`);
}

export function getCluster(draft: Draft, id: string): ClusterRecord | null {
  return draft.clusters.get(id) ?? draft.state.durable.clusters.get(id) ?? null;
}

export function putCluster(draft: Draft, value: ClusterRecord): void {
  draft.clusters.set(value.id, value);
  draft.touched.add(`cluster:${value.id}`);
}

/** Changes some fields of a cluster. A missing cluster is a bug of the caller. */
export function patchCluster(draft: Draft, id: string, patch: Partial<ClusterRecord>): ClusterRecord {
  const value = { ...demand(getCluster(draft, id), `cluster ${id}`), ...patch };
  putCluster(draft, value);
  return value;
}

export function clusterIds(draft: Draft): string[] {
  return [...new Set([...draft.state.durable.clusters.keys(), ...draft.clusters.keys()])];
}

export function getIncident(draft: Draft, id: string): Incident | null {
  return draft.incidents.get(id) ?? draft.state.durable.incidents.get(id) ?? null;
}

export function putIncident(draft: Draft, value: Incident): void {
  draft.incidents.set(value.id, value);
  draft.touched.add(`incident:${value.id}`);
}

export function patchIncident(draft: Draft, id: string, patch: Partial<Incident>): void {
  putIncident(draft, { ...demand(getIncident(draft, id), `incident ${id}`), ...patch });
}

export function listIncidents(draft: Draft): Incident[] {
  const ids = new Set([...draft.state.durable.incidents.keys(), ...draft.incidents.keys()]);
  return [...ids].map((id) => demand(getIncident(draft, id), id));
}

export function getAction(draft: Draft, id: string): Action | null {
  return draft.actions.get(id) ?? draft.state.durable.actions.get(id) ?? null;
}

export function putAction(draft: Draft, value: Action): void {
  draft.actions.set(value.id, value);
  draft.touched.add(`action:${value.id}`);
  draft.touched.add(`cluster:${value.cluster}`);
}

export function patchAction(draft: Draft, id: string, patch: Partial<Action>): Action {
  const value = { ...demand(getAction(draft, id), `action ${id}`), ...patch };
  putAction(draft, value);
  return value;
}

export function runningActions(draft: Draft, clusterId: string): Action[] {
  const ids = new Set([...draft.state.durable.actions.keys(), ...draft.actions.keys()]);
  return [...ids]
    .map((id) => demand(getAction(draft, id), id))
    .filter((action) => action.cluster === clusterId && action.phase === "running");
}

export function getCommand(draft: Draft, id: string): CommandRecord | null {
  if (draft.finished.has(id)) return null;
  return draft.commands.get(id) ?? draft.state.durable.commands.get(id) ?? null;
}

/** The command leaves the outbox with its outcome; a late second result of it finds nothing. */
export function finishCommand(draft: Draft, id: string, outcome: unknown): void {
  draft.finished.set(id, outcome);
}

/** Pending commands of an action lose their meaning: the action ended or was superseded. */
export function dropCommands(draft: Draft, actionId: string, reason: string): void {
  for (const command of [...draft.state.durable.commands.values(), ...draft.commands.values()]) {
    if (command.actionId === actionId && getCommand(draft, command.id) !== null) {
      finishCommand(draft, command.id, { status: "dropped", reason });
    }
  }
}

/**
 * Adds a step with a command for one node to an action: recorded first, sent after the commit.
 * The grant's step grows with every command of the cluster, so that an agent can refuse whatever comes out of order.
 */
export function commandStep(
  draft: Draft,
  actionId: string,
  options: {
    readonly kind: string;
    readonly node: string;
    readonly verb: Verb;
    readonly epoch: number;
    readonly intentId: string;
    readonly configVersion?: number;
  },
): void {
  const action = demand(getAction(draft, actionId), `action ${actionId}`);
  const cluster = demand(getCluster(draft, action.cluster), `cluster ${action.cluster}`);
  const grantStep = cluster.commandStep + 1;
  const command: CommandRecord = {
    id: `${draft.now.entropy}.${++draft.commandCount}`,
    node: options.node,
    cluster: cluster.id,
    actionId,
    stepIndex: action.steps.length,
    grant: {
      epoch: options.epoch,
      intentId: options.intentId,
      step: grantStep,
      configVersion: options.configVersion ?? cluster.configVersion,
    },
    verb: options.verb,
    createdAt: draft.now.wallMs,
  };
  patchCluster(draft, cluster.id, { commandStep: grantStep });
  patchAction(draft, actionId, {
    steps: [
      ...action.steps,
      {
        kind: options.kind,
        node: options.node,
        status: "running",
        startedAt: draft.now.wallMs,
        endedAt: null,
        commandId: command.id,
        progress: null,
        data: {},
      },
    ],
  });
  draft.commands.set(command.id, command);
  draft.send.push(command);
}

/** Adds a judgement of the control plane itself as a finished step, so that the story has no gap. */
export function noteStep(
  draft: Draft,
  actionId: string,
  kind: string,
  node: string | null,
  data: Readonly<Record<string, string | number | boolean | null>>,
): void {
  const action = demand(getAction(draft, actionId), `action ${actionId}`);
  patchAction(draft, actionId, {
    steps: [
      ...action.steps,
      {
        kind,
        node,
        status: "done",
        startedAt: draft.now.wallMs,
        endedAt: draft.now.wallMs,
        commandId: null,
        progress: null,
        data,
      },
    ],
  });
}

export function appendTimeline(
  draft: Draft,
  entry: {
    readonly incidentId: string | null;
    readonly lane: Lane;
    readonly kind: string;
    readonly subject: Subject;
    readonly at?: number;
    readonly nodeAt?: number | null;
    readonly data?: TimelineEntry["data"];
    readonly evidence?: readonly Evidence[];
    readonly actor?: string;
  },
): void {
  const at = entry.at ?? draft.now.wallMs;
  const nodeAt = entry.nodeAt ?? null;
  draft.log.push({
    kind: "append-timeline",
    value: {
      seq: 0,
      incidentId: entry.incidentId,
      at,
      nodeAt: nodeAt !== null && Math.abs(nodeAt - at) > 100 ? nodeAt : null,
      lane: entry.lane,
      kind: entry.kind,
      subject: entry.subject,
      data: entry.data ?? {},
      evidence: entry.evidence ?? [],
      actor: entry.actor ?? "holdfast",
    },
  });
  if (entry.incidentId !== null) draft.touched.add(`incident:${entry.incidentId}`);
}

export function appendNote(draft: Draft, note: Note): void {
  draft.log.push({ kind: "append-note", value: note });
  draft.touched.add(`incident:${note.incidentId}`);
}

export function appendAudit(draft: Draft, entry: Omit<AuditDraft, "at">): void {
  draft.log.push({ kind: "append-audit", value: { at: draft.now.wallMs, ...entry } });
}

/** A moment that has come is judged by this very batch: waking for it would only turn the loop. */
export function wakeAt(draft: Draft, monoMs: number): void {
  if (!Number.isFinite(monoMs) || monoMs <= draft.now.monoMs) return;
  if (draft.wakeAtMs === null || monoMs < draft.wakeAtMs) draft.wakeAtMs = monoMs;
}

export function nextActionId(draft: Draft): string {
  draft.counters = { ...draft.counters, action: draft.counters.action + 1 };
  return `ACT-${draft.counters.action}`;
}

export function nextIncidentId(draft: Draft): string {
  draft.counters = { ...draft.counters, incident: draft.counters.incident + 1 };
  return `INC-${draft.counters.incident}`;
}

/** The decision that the loop commits and carries out. */
export function closeDraft(draft: Draft): Decision {
  const writes: Write[] = [];
  if (draft.counters !== draft.state.durable.counters) writes.push({ kind: "put-counters", value: draft.counters });
  for (const value of draft.nodes.values()) writes.push({ kind: "put-node", value });
  for (const value of draft.clusters.values()) writes.push({ kind: "put-cluster", value });
  for (const value of draft.actions.values()) writes.push({ kind: "put-action", value });
  for (const value of draft.incidents.values()) writes.push({ kind: "put-incident", value });
  for (const value of draft.commands.values()) {
    if (!draft.finished.has(value.id)) writes.push({ kind: "put-command", value });
  }
  for (const [id, outcome] of draft.finished) {
    if (draft.state.durable.commands.has(id)) writes.push({ kind: "finish-command", id, outcome });
  }
  for (const value of draft.documents.values()) writes.push({ kind: "put-document", value });
  writes.push(...draft.log);
  return {
    writes,
    send: draft.send.filter((command) => !draft.finished.has(command.id)),
    replies: draft.replies,
    acknowledge: draft.acknowledge,
    ...(draft.renewals.length > 0 ? { renewals: draft.renewals } : {}),
    touched: draft.touched,
    wakeAtMs: draft.wakeAtMs,
  };
}

/** An assertion that stays on: a missing value here is a bug, and going on would be worse than stopping. */
export function demand<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`invariant: ${what} must exist`);
  return value;
}
