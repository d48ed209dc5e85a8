import { appendAudit, type Draft } from "../draft.ts";
import { openTransaction } from "../transaction/index.ts";
import { type Change, save, tell } from "./commands.ts";
import { versionOf, versionOn } from "./plan.ts";
import { listProgram, noteVersion, patchRecord, readRecord } from "./programs.ts";
import type { ChangeTarget, RolloutRequest } from "./types.ts";

/** Votes must be in by then: staging only looks at what is there. */
const voteWithinMs = 30_000;
/** A step of a saga starts a service and waits for its health, on every node in turn. */
const sagaWithinMs = 30 * 60_000;

export interface OpenOptions {
  readonly request: RolloutRequest;
  readonly by: string;
  readonly automatic: boolean;
  readonly reason: string;
  readonly rollbackOf: string | null;
  readonly incidentId: string | null;
  /** A rollback: nodes that it leaves, because they are away. */
  readonly left?: readonly string[];
  /** Only validate: `only` this participant, or all (null). */
  readonly dryRun?: DryRun | null;
}

/** A change that is staged and validated everywhere, or at one participant, and then discarded. */
export interface DryRun {
  readonly only: string | null;
}

/** Stores the change; its first messages leave with the next look at it. */
export function openChange(draft: Draft, options: OpenOptions): Change {
  const { request, by, automatic, reason, rollbackOf, incidentId } = options;
  const dry = options.dryRun ?? null;
  const { service, item, watchMs, sql } = request;
  // The steps of a saga can't be held: a dry run is the first half of a two-phase commit, whatever the change will be.
  const protocol = dry === null ? request.protocol : "2pc";
  const record = readRecord(draft, service);
  const serial = record.serial + 1;
  const number = (draft.counters.change ?? 0) + 1;
  draft.counters = { ...draft.counters, change: number };
  const id = `CHG-${number}`;
  const here = listProgram(draft.state, service);
  const all: ChangeTarget[] = request.waves.flatMap((nodes, wave) =>
    nodes.map((node) => createTarget(node, "program", node, wave, versionOn(here, node, item))),
  );
  const last = request.waves.length - 1;
  if (sql !== null) all.push(createTarget(`sql:${sql.cluster}`, "sql", sql.cluster, last, null));
  const targets = dry === null || dry.only === null ? all : all.filter((target) => target.id === dry.only);
  const gates = request.waves.flatMap((nodes) => nodes.slice(-1));
  const change: Change = {
    kind: "change",
    id,
    openedAt: draft.now.wallMs,
    closedAt: null,
    service,
    item,
    version: versionOf(item),
    protocol,
    phase: "running",
    transaction: openTransaction({
      id,
      protocol,
      participants: targets.map((target) => target.id),
      nowMs: draft.now.wallMs,
      voteWithinMs: protocol === "saga" ? sagaWithinMs : voteWithinMs,
      retryMs: null,
      gated: protocol !== "saga",
      gates: protocol === "saga" ? gates : [],
    }),
    targets,
    waves: request.waves.length,
    wave: 0,
    watchMs,
    watch: null,
    sql,
    serial,
    step: 1,
    by,
    automatic,
    reason,
    incidentId,
    rollbackOf,
    rolledBackBy: null,
    left: options.left ?? [],
    ...(dry === null ? {} : { dryRun: true }),
    fault: null,
    story: [],
  };
  if (dry === null) rememberGood(draft, service, targets, item.kind === "release");
  // Whoever was left by an earlier rollback is not sent back behind this one.
  patchRecord(draft, service, { serial, openChange: id, ...(dry === null ? { left: null } : {}) });
  appendAudit(draft, {
    actor: by,
    actorRole: automatic ? "system" : "operator",
    verb: dry !== null ? "dry-run-started" : rollbackOf === null ? "change-started" : "rollback-started",
    subject: `change:${id}`,
    before: { version: targets[0]?.before ?? null },
    after: { service, version: change.version, protocol, nodes: targets.length },
    reason,
  });
  const opened = tell(draft, change, "opened", { version: change.version, nodes: targets.length });
  const left = options.left ?? [];
  const noted = left.length === 0 ? opened : tell(draft, opened, "left-out", { nodes: left.join(", ") });
  save(draft, noted);
  return noted;
}

/** What runs healthily when its successor is rolled out is the version to go back to. */
function rememberGood(draft: Draft, service: string, targets: readonly ChangeTarget[], isRelease: boolean): void {
  if (!isRelease) return;
  const { history } = readRecord(draft, service);
  for (const { kind, before } of targets) {
    if (kind !== "program" || before === null || history.some(({ version }) => version === before)) continue;
    noteVersion(draft, service, before, null, "good");
    return;
  }
}

function createTarget(
  id: string,
  kind: ChangeTarget["kind"],
  node: string,
  wave: number,
  before: string | null,
): ChangeTarget {
  return { id, kind, node, wave, before, trial: "none", step: null, stepAt: null, detail: null };
}
