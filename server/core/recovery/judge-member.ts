import type { Evidence, FaultClass, Verdict, VerdictKind } from "../incident/types.ts";
import type { LocalProbe } from "../replication/status.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import {
  type AgentSight,
  agentLostSince,
  gatherSights,
  isWitness,
  type ObserverSight,
  receivesFrom,
  seeAgent,
  statusFreshMs,
} from "../topology/sight.ts";
import { isStreaming } from "./members.ts";
import type { ClusterRecord } from "./types.ts";

/**
 * When is a member dead? A table of predicates → verdict (the idea of orchestrator's failure taxonomy).
 * Proof by the agent (it saw the postmaster end) stands alone. Everything else needs two independent observers: the control plane
 * and a standby. A standby that still reaches the member, or still receives its WAL, vetoes.
 */
export interface MemberFacts {
  readonly agent: AgentSight;
  /** The agent is heard and says that the server process is gone. */
  readonly exited: boolean;
  /** The agent is heard and its own SQL has had no answer for longer than the policy's limit. */
  readonly hung: boolean;
  /** The agent is heard, and PostgreSQL refuses to write for want of disk for longer than the policy's limit. */
  readonly unwritable: boolean;
  /** Standbys that stream, answer and have room to write: one to take over, the rest to acknowledge. */
  readonly sound: number;
  /** How many of them a takeover needs. */
  readonly soundNeeded: number;
  /** Standbys that neither reach the member by SQL nor receive its WAL. */
  readonly againstBy: readonly ObserverSight[];
  /** Standbys that do. */
  readonly vetoedBy: readonly ObserverSight[];
  /** Standbys whom its server refuses with an error of its own, for want of connections or while it starts: it is there. */
  readonly refusedBy: readonly ObserverSight[];
  /** Witnesses that are not members of the cluster and still reach it. */
  readonly reachedBy: readonly ObserverSight[];
  /** Somebody's connection is accepted by the host's kernel and nothing answers: a stopped process. */
  readonly acceptedSilent: boolean;
}

interface Row {
  readonly mode: "dead" | "frozen" | "hung" | "unwritable" | "partitioned" | "lost";
  readonly class: FaultClass;
  readonly when: (facts: MemberFacts) => boolean;
}

const corroborated = (facts: MemberFacts) => facts.againstBy.length > 0 && facts.vetoedBy.length === 0;
/**
 * A host that answers anybody, and be it with a refusal, is neither frozen nor gone: only its agent is. Whoever was last heard to be refused never saw it
 * silent, however old that is by now (we may be cut off ourselves).
 */
const silent = (facts: MemberFacts) =>
  facts.agent === "silent" &&
  corroborated(facts) &&
  facts.refusedBy.length === 0 &&
  facts.againstBy.some(({ sight }) => sight.reason !== "error");

/** First row that holds. */
const table: readonly Row[] = [
  { mode: "dead", class: "software", when: (f) => f.exited },
  { mode: "hung", class: "software", when: (f) => f.hung && corroborated(f) },
  // PostgreSQL's own error, told by its own agent, is first-hand like an exit. That others can read it speaks against nothing: reads don't write.
  { mode: "unwritable", class: "hardware", when: (f) => f.unwritable && f.sound >= f.soundNeeded },
  { mode: "dead", class: "software", when: (f) => f.agent === "closed" && corroborated(f) },
  {
    mode: "partitioned",
    class: "network",
    when: (f) => silent(f) && f.reachedBy.length > 0,
  },
  { mode: "frozen", class: "software", when: (f) => silent(f) && f.acceptedSilent },
  { mode: "lost", class: "hardware", when: silent },
];

export function gatherFacts(state: State, cluster: ClusterRecord, nodeId: string, now: Now): MemberFacts {
  const node = state.live.nodes.get(nodeId);
  const agent = seeAgent(state, nodeId, now);
  const fresh = agent === "alive" && node !== undefined && now.monoMs - node.statusAtMs <= statusFreshMs;
  const status = fresh ? (node?.postgres ?? null) : null;
  const sights = gatherSights(state, cluster, nodeId, now);
  const members = sights.filter((sight) => sight.isMember);
  const { probeFailingMs, unwritableMs } = state.durable.policy;
  const { durability } = cluster;
  return {
    agent,
    exited: status !== null && status.state === "stopped" && status.exit !== null,
    hung:
      status !== null &&
      status.probe.failingForMs >= probeFailingMs &&
      (status.state === "hung" || status.state === "running"),
    unwritable:
      cluster.primary === nodeId &&
      status?.state === "running" &&
      refusesToWrite(status.probe) &&
      status.probe.failingForMs >= unwritableMs,
    sound: Object.values(cluster.members).filter(
      (member) => member.id !== nodeId && member.standing === "member" && isSound(state, cluster, member.id, now),
    ).length,
    soundNeeded: 1 + (durability.mode === "sync" ? durability.k : 0),
    againstBy: members.filter((sight) => speaksAgainst(sight, state, cluster, nodeId)),
    vetoedBy: members.filter((sight) => vetoes(sight, state, cluster, nodeId)),
    refusedBy: members.filter(
      ({ sight, ageMs }) => sight.reason === "error" && ageMs < state.durable.policy.streamVetoMs,
    ),
    reachedBy: sights.filter((sight) => !sight.isMember && sight.sight.reach === "ok"),
    acceptedSilent: sights.some((sight) => sight.sight.reason === "accepted-silent"),
  };
}

/** SQLSTATEs of PostgreSQL for a disk that takes nothing more: disk_full, io_error. */
const diskErrors: ReadonlySet<string> = new Set(["53100", "58030"]);

function refusesToWrite(probe: LocalProbe): boolean {
  return !probe.ok && probe.reason !== null && diskErrors.has(probe.reason);
}

/** Where the same disk trouble may be expected, a takeover would mend nothing. */
const fullShare = 0.97;

function isSound(state: State, cluster: ClusterRecord, nodeId: string, now: Now): boolean {
  const node = state.live.nodes.get(nodeId);
  if (node === undefined || !isWitness(state, nodeId, now) || !isStreaming(state, cluster, nodeId)) return false;
  const { host, postgres } = node;
  const hasRoom = host === null || host.diskTotalBytes === 0 || host.diskUsedBytes / host.diskTotalBytes < fullShare;
  return hasRoom && postgres?.state === "running" && postgres.probe.ok;
}

/** Reports come every 250 ms; this is late for one. */
const overdueMs = 400;

/**
 * False while the member's silence is only supposed to go on, because every report of it is overdue: then we may be the ones who hear nothing, and the
 * end of a blip would be what they have to say. A verdict stands as long as nothing contradicts it, but nothing is done about it before the next word.
 */
export function isLookedAt(state: State, cluster: ClusterRecord, nodeId: string, now: Now): boolean {
  const { exited, unwritable, againstBy } = gatherFacts(state, cluster, nodeId, now);
  return exited || unwritable || againstBy.some(({ sight, ageMs }) => isNews(sight) || ageMs <= overdueMs);
}

/** A refused or closed connection tells of an event, however old. */
function isNews({ reason }: ObserverSight["sight"]): boolean {
  return reason === "refused" || reason === "closed";
}

/** A refused or closed connection is news at once; an unanswered one only after the policy's time. */
function speaksAgainst(sight: ObserverSight, state: State, cluster: ClusterRecord, subject: string): boolean {
  if (sight.sight.reach !== "failed" || receives(sight, state, cluster, subject)) return false;
  if (isNews(sight.sight)) return true;
  return sight.sight.failingForMs + sight.ageMs >= state.durable.policy.probeFailingMs;
}

/** Only what was seen within the policy's time: an older "ok" may be from before the fault. */
function vetoes(sight: ObserverSight, state: State, cluster: ClusterRecord, subject: string): boolean {
  const reached = sight.sight.reach === "ok" && sight.ageMs < state.durable.policy.streamVetoMs;
  return reached || receives(sight, state, cluster, subject);
}

function receives(sight: ObserverSight, state: State, cluster: ClusterRecord, subject: string): boolean {
  if (!receivesFrom(sight.receiver, cluster, subject)) return false;
  const advancedAgoMs = sight.receiver?.advancedAgoMs ?? null;
  return advancedAgoMs !== null && advancedAgoMs + sight.ageMs < state.durable.policy.streamVetoMs;
}

type TimedEvidence = Evidence & { readonly at: number };

/** The verdict on a member, or null while nothing (or not enough) speaks against it. */
export function judgeMember(state: State, cluster: ClusterRecord, nodeId: string, now: Now): Verdict | null {
  const facts = gatherFacts(state, cluster, nodeId, now);
  const row = table.find((candidate) => candidate.when(facts));
  const alone = facts.agent === "closed" || facts.agent === "silent";
  const onlyAgent = alone && (facts.vetoedBy.length > 0 || facts.reachedBy.length > 0);
  if (row === undefined && !onlyAgent) return null;
  const evidence = collectEvidence(state, cluster, nodeId, facts, now);
  if (row !== undefined) {
    const role = cluster.primary === nodeId ? "primary" : "standby";
    const mode = role === "standby" && row.mode === "partitioned" ? "lost" : row.mode;
    return makeVerdict(`${mode}-${role}` as VerdictKind, row.class, nodeId, cluster.id, evidence, now);
  }
  return makeVerdict("unreachable-agent", "unknown", nodeId, cluster.id, evidence, now);
}

/** A quarantined member: a second primary, or data of another system. It can't acknowledge for us, but somebody may be writing to it. */
export function judgeStranger(state: State, cluster: ClusterRecord, nodeId: string, now: Now): Verdict | null {
  const status = state.live.nodes.get(nodeId)?.postgres ?? null;
  if (status === null || cluster.members[nodeId]?.standing !== "quarantined" || status.state === "empty") return null;
  const code = status.systemId !== cluster.systemId ? "foreign-system" : "primary-nobody-granted";
  const data = { node: nodeId, systemId: status.systemId, timeline: status.timeline };
  const evidence: TimedEvidence[] = [{ code, observer: nodeId, stance: "for", data, at: now.wallMs }];
  return makeVerdict("split-brain", "change", nodeId, cluster.id, evidence, now);
}

function makeVerdict(
  kind: VerdictKind,
  faultClass: FaultClass,
  node: string,
  cluster: string,
  evidence: readonly TimedEvidence[],
  now: Now,
): Verdict {
  const supporting = evidence.filter((item) => item.stance === "for");
  const observers = new Set(supporting.map((item) => item.observer)).size;
  const contrary = evidence.length - supporting.length;
  const proof = supporting.some((item) => item.code === "postgres-exited");
  return {
    kind,
    class: faultClass,
    subject: { kind: "node", id: node },
    cluster,
    // Each further independent observer halves the doubt; what speaks against doubles it. Proof leaves almost none.
    confidence: proof ? 0.99 : Math.max(0.5, Math.min(0.99, 1 - 0.2 * 0.5 ** (observers - 1) * 2 ** contrary)),
    evidence,
    sinceWallMs: Math.min(now.wallMs, ...supporting.map((item) => item.at)),
  };
}

/** Everything that was seen of the member, for and against, with the time it began. */
export function collectEvidence(
  state: State,
  cluster: ClusterRecord,
  nodeId: string,
  facts: MemberFacts,
  now: Now,
): TimedEvidence[] {
  const items: TimedEvidence[] = [];
  const add = (
    code: string,
    observer: string,
    stance: Evidence["stance"],
    agoMs: number,
    data: Evidence["data"] = {},
  ) =>
    items.push({
      code,
      observer,
      stance,
      data: { node: nodeId, ...data },
      at: now.wallMs - Math.max(0, Math.round(agoMs)),
    });

  const lostAgo = now.wallMs - agentLostSince(state, nodeId, now);
  if (facts.agent === "closed") add("agent-socket-closed", "control-plane", "for", lostAgo);
  if (facts.agent === "silent") add("agent-silent", "control-plane", "for", lostAgo, { silentMs: Math.round(lostAgo) });
  const status = state.live.nodes.get(nodeId)?.postgres ?? null;
  const age = now.monoMs - (state.live.nodes.get(nodeId)?.statusAtMs ?? now.monoMs);
  if (facts.exited && status?.exit != null) {
    const { exit } = status;
    add("postgres-exited", nodeId, "for", exit.agoMs + age, { pid: exit.pid, signal: exit.signal, code: exit.code });
  }
  if (facts.unwritable && status !== null) {
    add("writes-refused", nodeId, "for", status.probe.failingForMs + age, { reason: status.probe.reason });
  } else if (facts.hung && status !== null) {
    add("local-probe-failing", nodeId, "for", status.probe.failingForMs + age, { reason: status.probe.reason });
  }
  for (const { observer, sight, receiver, ageMs, isMember } of gatherSights(state, cluster, nodeId, now)) {
    if (sight.reach === "failed") {
      add(`probe-${sight.reason ?? "error"}`, observer, "for", sight.failingForMs + ageMs, {
        forMs: Math.round(sight.failingForMs),
      });
    }
    // A witness outside the cluster matters where it tells a partition from a loss; elsewhere its word is merely old.
    if (sight.reach === "ok" && (isMember || facts.agent === "silent")) {
      add("probe-ok", observer, isMember ? "against" : "for", 0, { responseMs: sight.responseMs });
    }
    if (isMember && cluster.primary === nodeId && receiver !== null && !receivesFrom(receiver, cluster, nodeId)) {
      add("wal-stream-ended", observer, "for", ageMs);
    } else if (
      isMember &&
      receiver !== null &&
      cluster.primary === nodeId &&
      (receiver.advancedAgoMs ?? 0) + ageMs >= state.durable.policy.streamVetoMs
    ) {
      add("wal-stream-stalled", observer, "for", (receiver.advancedAgoMs ?? 0) + ageMs);
    }
  }
  return items;
}
