import type { Action, CandidateVerdict, SealedMember } from "../recovery/types.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { mayLead, type Place, placeIn, placeOf } from "./history.ts";
import { countedMembers, type RedisDocument, sealable } from "./servers.ts";
import type { RedisLineage } from "./types.ts";

/** Who of the sealed replicas may be promoted, and who has the most. */

interface Candidate {
  readonly seal: SealedMember;
  readonly place: Place;
}

/** A lineage that was never learned: servers of one and the same history can still be compared with each other. */
function lineageOf(action: Action, record: RedisDocument): RedisLineage | null {
  if (record.lineage != null) return record.lineage;
  const ids = new Set(action.sealed.map(({ history }) => history?.replicationId ?? null));
  const [only = null] = ids;
  if (ids.size !== 1 || only === null) return null;
  return { current: { replicationId: only, earlier: null }, before: [], left: [] };
}

function placeSealed(action: Action, record: RedisDocument): Candidate[] {
  const lineage = lineageOf(action, record);
  return action.sealed.map((seal) => ({ seal, place: placeIn(lineage, seal.history, seal.lsn) }));
}

/** Sealed replicas of which is known what they may have confirmed, be it that it is nothing: the quorum is counted over them. */
export function countSealed(action: Action, record: RedisDocument): number {
  return placeSealed(action, record).filter(({ place }) => place.kind !== "unknown").length;
}

/** Whether it can go on from where it stands, with a new master that was sealed as `leader`, and need not copy everything. */
export function goesOnWith(leader: SealedMember, { history }: SealedMember): boolean {
  const id = leader.history?.replicationId ?? null;
  return id !== null && history?.replicationId === id;
}

/** Counted replicas that can be sealed now: how many of them would count for the quorum, and how many may be promoted. */
export function foresee(
  state: State,
  record: RedisDocument,
  now: Now,
): { readonly counting: number; readonly leading: number } {
  const known = sealable(state, record, now).filter(({ status }) => status?.offset != null);
  if (record.lineage == null) return { counting: known.length, leading: known.length };
  const places = known.map((server) => placeOf(record, server));
  return {
    counting: places.filter(({ kind }) => kind !== "unknown").length,
    leading: places.filter(mayLead).length,
  };
}

/**
 * The highest offset in the history of the granted master wins: only between equal ones a wish decides, then the name. Nobody is chosen when two
 * went on from the same offset with different histories: either may have confirmed what the other one lacks.
 */
export function rankCandidates(action: Action, record: RedisDocument): CandidateVerdict[] {
  const placed = placeSealed(action, record);
  const ranked = placed
    .filter(({ place }) => mayLead(place))
    .sort(
      (a, b) =>
        compare(rankOf(b.place), rankOf(a.place)) ||
        Number(b.seal.node === action.target) - Number(a.seal.node === action.target) ||
        (a.seal.node < b.seal.node ? -1 : 1),
    );
  const best = ranked[0];
  const forked = best !== undefined && isForked(ranked, best);
  return countedMembers(record).map((member): CandidateVerdict => {
    const own = placed.find(({ seal }) => seal.node === member.id);
    const node = member.id;
    const no = (code: string, data: CandidateVerdict["reason"]["data"] = {}): CandidateVerdict => ({
      node,
      chosen: false,
      eligible: false,
      reason: { code, data },
    });
    if (own === undefined) return no("not-sealed");
    if (best === undefined || !mayLead(own.place)) return no("other-history");
    if (forked) return no("forked-history");
    if (own === best)
      return { node, chosen: true, eligible: true, reason: { code: "highest-offset", data: { offset: own.seal.lsn } } };
    if (compare(rankOf(own.place), rankOf(best.place)) === 0)
      return { node, chosen: false, eligible: true, reason: { code: "same-offset", data: { chosen: best.seal.node } } };
    const behindBytes = best.seal.lsn - own.seal.lsn;
    return behindBytes > 0 ? no("behind", { behindBytes }) : no("other-history");
  });
}

/** Whoever shares the history of now comes before those of an earlier start; then by what is shared, then by what followed. */
function rankOf(place: Place): readonly number[] {
  if (place.kind === "shares") return [Number.MAX_SAFE_INTEGER, place.shared, place.offset];
  return place.kind === "before" ? [place.turn, place.offset, 0] : [-1];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((each, at) => each !== b[at]);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

function beyondOf(place: Place): string | null {
  return place.kind === "shares" && place.offset > place.shared ? place.beyond : null;
}

function isForked(ranked: readonly Candidate[], { place }: Candidate): boolean {
  if (place.kind !== "shares") return false;
  const beyond = ranked.flatMap(({ place: other }) =>
    other.kind === "shares" && other.shared === place.shared ? [beyondOf(other)] : [],
  );
  return new Set(beyond.filter((each) => each !== null)).size > 1;
}
