import { changeOfGid, decisionOfGid } from "../changes/index.ts";
import { appendAudit, type Draft, getCluster, getNode, patchCluster } from "../draft.ts";
import type { Actor, OperatorRequest } from "../event.ts";
import type { CommandOutcome, CommandRecord } from "../recovery/command.ts";
import type { InDoubtTransaction } from "../replication/status.ts";
import type { State } from "../state.ts";

export interface InDoubtPlace {
  readonly cluster: string;
  readonly node: string;
  readonly transaction: InDoubtTransaction;
  /** The change of ours that it belongs to. */
  readonly change: string | null;
  /**
   * What that change decided: while it is open it ends the transaction by itself. `closed`: no such change is open, so nobody will. Null: not
   * one of ours.
   */
  readonly decision: "commit" | "abort" | "undecided" | "closed" | null;
}

/** What is in doubt in every watched database, oldest first. */
export function listInDoubt(state: State): readonly InDoubtPlace[] {
  return [...state.live.nodes]
    .flatMap(([node, live]) => {
      const status = live.postgres;
      if (status === null || status.role !== "primary") return [];
      return (status.inDoubt ?? []).map((transaction) => ({
        cluster: status.cluster,
        node,
        transaction,
        change: changeOfGid(transaction.gid)?.change ?? null,
        decision: decisionOfGid(state, transaction.gid),
      }));
    })
    .toSorted((a, b) => b.transaction.ageMs - a.transaction.ageMs);
}

type Request = Extract<OperatorRequest, { kind: "resolve-in-doubt" }>;
type Answer =
  | { readonly ok: true; readonly data: Readonly<Record<string, string | number | boolean | null>> }
  | {
      readonly ok: false;
      readonly code: string;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    };

/** Sends the verb to the primary in whose database it is, or says why not. */
export function requestResolution(draft: Draft, request: Request, actor: Actor): Answer {
  const { gid, database, decision, reason } = request;
  const refuse = (code: string, data: Answer["data"] = {}): Answer => ({ ok: false, code, data });
  const cluster = getCluster(draft, request.cluster);
  if (cluster === null) return refuse("unknown-cluster", { cluster: request.cluster });
  if (cluster.openActionId !== null) return refuse("action-open", { action: cluster.openActionId });
  const found = listInDoubt(draft.state).find(
    (each) => each.cluster === cluster.id && each.transaction.gid === gid && each.transaction.database === database,
  );
  if (found === undefined || found.node !== cluster.primary) return refuse("in-doubt-gone", { gid });
  if (found.decision !== null && found.decision !== "closed") {
    return refuse("in-doubt-ours", { gid, change: found.change ?? "", decision: found.decision });
  }
  if (getNode(draft, found.node)?.revokedAt !== null) return refuse("in-doubt-gone", { gid });
  const promise = draft.state.live.nodes.get(found.node)?.postgres?.promise ?? null;
  if (promise === null || promise.epoch !== cluster.epoch) return refuse("primary-unsettled", { node: found.node });
  const step = Math.max(cluster.commandStep, promise.step) + 1;
  const command: CommandRecord = {
    id: `${draft.now.entropy}.${++draft.commandCount}`,
    node: found.node,
    cluster: cluster.id,
    actionId: inDoubtActionId,
    stepIndex: 0,
    grant: { epoch: promise.epoch, intentId: promise.intentId, step, configVersion: promise.configVersion },
    verb: { verb: "postgres.resolve", args: { gid, database, decision } },
    createdAt: draft.now.wallMs,
  };
  patchCluster(draft, cluster.id, { commandStep: step });
  draft.commands.set(command.id, command);
  draft.send.push(command);
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb: decision === "commit" ? "in-doubt-committed" : "in-doubt-rolled-back",
    subject: `cluster:${cluster.id}`,
    before: {
      gid,
      database,
      owner: found.transaction.owner,
      ageMs: found.transaction.ageMs,
      waiting: found.transaction.waiting,
    },
    after: null,
    reason,
  });
  return { ok: true, data: { node: found.node, command: command.id } };
}

const inDoubtActionId = "in-doubt";

/** What came of it. Done needs no word: the transaction is gone from the list. */
export function recordResolution(draft: Draft, command: CommandRecord, outcome: CommandOutcome): void {
  if (command.verb.verb !== "postgres.resolve" || outcome.status === "done") return;
  appendAudit(draft, {
    actor: command.node,
    actorRole: "agent",
    verb: "in-doubt-not-resolved",
    subject: `cluster:${command.cluster}`,
    before: { gid: command.verb.args.gid },
    after: { code: outcome.code },
    reason: outcome.detail,
  });
}
