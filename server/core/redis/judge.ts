import type { Evidence, FaultClass, Verdict, VerdictKind } from "../incident/types.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { agentLostSince } from "../topology/sight.ts";
import { type RedisDocument, type RedisServer, readServers } from "./servers.ts";

/**
 * When is a Redis master dead? The agent that saw its process end is proof. Everything else needs two observers: the control plane, and the agent
 * of a replica whose own connection to the master ended or gets no answer. A replica that still reaches it vetoes. (As for PostgreSQL.)
 */
interface Facts {
  readonly agent: RedisServer["agent"];
  readonly exited: boolean;
  readonly hung: boolean;
  readonly against: readonly RedisServer[];
  readonly vetoes: readonly RedisServer[];
}

interface Row {
  readonly mode: "dead" | "hung" | "frozen" | "lost";
  readonly class: FaultClass;
  when(facts: Facts): boolean;
}

const corroborated = ({ against, vetoes }: Facts) => against.length > 0 && vetoes.length === 0;

/** First row that holds. */
const table: readonly Row[] = [
  { mode: "dead", class: "software", when: (facts) => facts.exited },
  { mode: "hung", class: "software", when: (facts) => facts.hung && corroborated(facts) },
  { mode: "dead", class: "software", when: (facts) => facts.agent === "closed" && corroborated(facts) },
  {
    mode: "frozen",
    class: "software",
    when: (facts) =>
      facts.agent === "silent" &&
      corroborated(facts) &&
      facts.against.some((witness) => witness.status?.masterProbe?.reason === "accepted-silent"),
  },
  { mode: "lost", class: "hardware", when: (facts) => facts.agent === "silent" && corroborated(facts) },
];

export function judgePrimary(state: State, record: RedisDocument, now: Now): Verdict | null {
  const servers = readServers(state, record, now);
  const primary = servers.find((server) => server.member.id === record.primary);
  if (primary === undefined) return null;
  const facts = gatherFacts(state, servers, primary);
  const row = table.find((each) => each.when(facts));
  if (row === undefined) return null;
  return makeVerdict(
    `${row.mode}-primary`,
    row.class,
    record,
    primary,
    collectEvidence(state, primary, facts, now),
    now,
  );
}

function gatherFacts(state: State, servers: readonly RedisServer[], primary: RedisServer): Facts {
  const { probeFailingMs, streamVetoMs } = state.durable.policy;
  const { status, fresh } = primary;
  const witnesses = servers.filter((server) => {
    const probe = server.status?.masterProbe;
    const { host, port } = primary.member;
    return server !== primary && server.fresh && probe?.host === host && probe.port === port;
  });
  const speaksAgainst = (witness: RedisServer): boolean => {
    const probe = witness.status?.masterProbe;
    if (probe == null || probe.ok) return false;
    // A refused or closed connection is news at once; an unanswered one only after the policy's time.
    if (probe.reason === "refused" || probe.reason === "closed") return true;
    return probe.failingForMs + witness.ageMs >= probeFailingMs;
  };
  return {
    agent: primary.agent,
    exited: fresh && status?.state === "stopped" && status.exit !== null,
    hung: fresh && status?.state === "hung" && status.probe.failingForMs >= probeFailingMs,
    against: witnesses.filter(speaksAgainst),
    vetoes: witnesses.filter((each) => each.status?.masterProbe?.ok === true && each.ageMs < streamVetoMs),
  };
}

type TimedEvidence = Evidence & { readonly at: number };

function collectEvidence(state: State, primary: RedisServer, facts: Facts, now: Now): TimedEvidence[] {
  const node = primary.member.node;
  const items: TimedEvidence[] = [];
  const add = (code: string, observer: string, stance: Evidence["stance"], agoMs: number, data: Evidence["data"]) =>
    items.push({ code, observer, stance, data: { node, ...data }, at: now.wallMs - Math.max(0, Math.round(agoMs)) });
  const lostAgo = now.wallMs - agentLostSince(state, node, now);
  if (facts.agent === "closed") add("agent-socket-closed", "control-plane", "for", lostAgo, {});
  if (facts.agent === "silent") add("agent-silent", "control-plane", "for", lostAgo, { silentMs: Math.round(lostAgo) });
  const { status, ageMs } = primary;
  if (facts.exited && status?.exit != null) {
    const { pid, signal, code, agoMs } = status.exit;
    add("redis-exited", node, "for", agoMs + ageMs, { pid, signal, code });
  }
  if (facts.hung && status !== null)
    add("redis-unanswered", node, "for", status.probe.failingForMs + ageMs, { reason: status.probe.reason });
  for (const witness of facts.against) {
    const probe = witness.status?.masterProbe;
    if (probe == null) continue;
    add(`redis-${probe.reason ?? "error"}`, witness.member.node, "for", probe.failingForMs + witness.ageMs, {
      forMs: Math.round(probe.failingForMs),
    });
  }
  for (const witness of facts.vetoes) add("redis-reached", witness.member.node, "against", 0, {});
  return items;
}

function makeVerdict(
  kind: VerdictKind,
  faultClass: FaultClass,
  record: RedisDocument,
  primary: RedisServer,
  evidence: readonly TimedEvidence[],
  now: Now,
): Verdict {
  const supporting = evidence.filter((item) => item.stance === "for");
  const observers = new Set(supporting.map((item) => item.observer)).size;
  const proof = supporting.some((item) => item.code === "redis-exited");
  return {
    kind,
    class: faultClass,
    subject: { kind: "node", id: primary.member.node },
    cluster: record.id,
    confidence: proof ? 0.99 : Math.min(0.99, 1 - 0.2 * 0.5 ** (observers - 1)),
    evidence,
    sinceWallMs: Math.min(now.wallMs, ...supporting.map((item) => item.at)),
  };
}

/** What is wrong with a shard of a Redis Cluster, by what its own members say; null while it serves. */
export function judgeShards(state: State, record: RedisDocument, now: Now): Verdict | null {
  const servers = readServers(state, record, now);
  const exited = servers.find(
    (server) =>
      server.fresh && server.status?.state === "stopped" && server.status.exit !== null && wasMaster(server, servers),
  );
  const failed = servers.find((server) => server.fresh && isCalledFailed(server, servers));
  const silent = servers.find(
    (server) =>
      server.agent !== "alive" &&
      server.agent !== "awaited" &&
      wasMaster(server, servers) &&
      isCalledFailed(server, servers),
  );
  const found = exited ?? silent ?? failed;
  if (found === undefined) return null;
  const at = now.wallMs;
  const evidence: TimedEvidence[] = [];
  const node = found.member.node;
  const exit = found.status?.exit ?? null;
  if (found === exited && exit !== null) {
    const { pid, signal, code, agoMs } = exit;
    evidence.push({
      code: "redis-exited",
      observer: node,
      stance: "for",
      data: { node, pid, signal, code },
      at: at - Math.round(agoMs),
    });
  }
  for (const witness of servers) {
    if (!witness.fresh || witness === found || !condemns(witness, found)) continue;
    const code = canVote(witness) ? "redis-voted-failed" : "redis-suspected-no-vote";
    evidence.push({ code, observer: witness.member.id, stance: "for", data: { node }, at });
  }
  return makeVerdict(
    wasMaster(found, servers) ? "dead-primary" : "dead-standby",
    "software",
    record,
    found,
    evidence,
    now,
  );
}

function neighbourOf(witness: RedisServer, subject: RedisServer) {
  const { host, port } = subject.member;
  return witness.status?.shard?.neighbours.find((each) => each.host === host && each.port === port);
}

function isCalledFailed(subject: RedisServer, servers: readonly RedisServer[]): boolean {
  return servers.some((witness) => witness.fresh && witness !== subject && condemns(witness, subject));
}

/** A server is failed when most masters say so. With most of them gone nobody can vote, and suspicion is all that will ever be said. */
function condemns(witness: RedisServer, subject: RedisServer): boolean {
  const health = neighbourOf(witness, subject)?.health;
  return health === "failed" || (health === "suspected" && !canVote(witness));
}

/** Whether the witness still has most masters of its cluster, as it sees them (Redis Cluster specification, "Failure detection"). */
function canVote({ status }: RedisServer): boolean {
  if (status?.shard == null) return true;
  const masters = status.shard.neighbours.filter((each) => each.role === "master");
  const well = masters.filter((each) => each.health === "ok").length + (status.role === "master" ? 1 : 0);
  const all = masters.length + (status.role === "master" ? 1 : 0);
  return well > all / 2;
}

/** By the word of the others: what a server that is gone once said of itself does not count. */
function wasMaster(subject: RedisServer, servers: readonly RedisServer[]): boolean {
  return servers.some(
    (witness) => witness.fresh && witness !== subject && neighbourOf(witness, subject)?.role === "master",
  );
}
