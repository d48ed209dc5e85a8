import type { DocumentOf } from "../documents.ts";
import type { Endpoint } from "../recovery/command.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { type AgentSight, seeAgent, statusFreshMs } from "../topology/sight.ts";
import type { RedisStatus } from "./status.ts";
import type { RedisMember } from "./types.ts";

export type RedisDocument = DocumentOf<"redis">;

/** A member with what is known of it right now. */
export interface RedisServer {
  readonly member: RedisMember;
  readonly agent: AgentSight;
  /** Null when its agent has never spoken of it. */
  readonly status: RedisStatus | null;
  readonly ageMs: number;
  /** Its agent is heard and the status is young enough to speak about now. */
  readonly fresh: boolean;
}

export function readServers(state: State, record: RedisDocument, now: Now): RedisServer[] {
  return Object.values(record.members).map((member) => readServer(state, record, member, now));
}

export function readServer(state: State, record: RedisDocument, member: RedisMember, now: Now): RedisServer {
  const live = state.live.nodes.get(member.node);
  const agent = seeAgent(state, member.node, now);
  const status = live?.redis.find((each) => each.cluster === record.id && each.instance === member.id) ?? null;
  const ageMs = live === undefined ? Number.POSITIVE_INFINITY : now.monoMs - live.statusAtMs;
  const fresh = agent === "alive" && live?.connected === true && status !== null && ageMs <= statusFreshMs;
  return { member, agent, status, ageMs, fresh };
}

export function endpointOf({ id, host, port }: RedisMember): Endpoint {
  return { node: id, host, port };
}

/** Members that may have acknowledged a write of the primary: the quorum is counted over them. */
export function countedMembers(record: RedisDocument): RedisMember[] {
  return Object.values(record.members).filter((member) => member.id !== record.primary && member.standing === "member");
}

/** How many of the counted ones have to be sealed so that every write that `k` of them confirmed is on at least one. */
export function sealsNeeded(record: RedisDocument): number {
  const counted = countedMembers(record).length;
  return Math.max(1, counted - record.kInForce + 1);
}

/** Counted replicas that can be sealed now. */
export function sealable(state: State, record: RedisDocument, now: Now): RedisServer[] {
  const counted = new Set(countedMembers(record).map((member) => member.id));
  return readServers(state, record, now).filter(
    (server) => counted.has(server.member.id) && server.fresh && server.status?.state === "running",
  );
}

/** Whether this replica follows the primary of the record. */
export function follows(server: RedisServer, primary: RedisMember): boolean {
  const link = server.status?.link;
  return link?.host === primary.host && link.port === primary.port;
}
