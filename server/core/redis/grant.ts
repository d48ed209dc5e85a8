import { getDocument } from "../documents.ts";
import { type Draft, demand } from "../draft.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import { againMs, clear, heldFor, rarely, settleMs } from "./patience.ts";
import { countedMembers, type RedisDocument, type RedisServer, readServers } from "./servers.ts";
import { patchRedis, sendCommand } from "./steps.ts";

/** A replica that the primary has not seen for so long is not counted any more: writes need not wait for what is gone. */
const dropAfterMs = 10_000;
/** As Redis counts for `min-replicas-to-write`: whole seconds since the last acknowledgement. */
const maxLagMs = 1_000;

/**
 * How many replicas have to confirm from now on. It falls only when fewer are counted, and grows only with those that have finished their
 * synchronization: until then a replica can confirm nothing, and the master would refuse every write.
 */
export function wantedReplicas(record: RedisDocument, primary: RedisServer): number {
  const counted = countedMembers(record);
  const most = Math.min(record.k, counted.length);
  const rows = primary.status?.replicas ?? [];
  const synced = counted.filter((member) =>
    rows.some(
      ({ host, port, online, offset, lagMs }) =>
        host === member.host && port === member.port && online && offset > 0 && lagMs <= maxLagMs,
    ),
  );
  return most <= record.kInForce ? most : Math.max(record.kInForce, Math.min(most, synced.length));
}

/**
 * Tells the primary its grant again when it does not work under it: it was started fenced, holds its writes after a pause, counts on another
 * number of replicas than is in force, or an epoch was opened above its own by a sealing that came to nothing.
 */
export function considerGrant(draft: Draft, record: RedisDocument): void {
  const primary = readServers(draft.state, record, draft.now).find((server) => server.member.id === record.primary);
  if (primary === undefined || !primary.fresh || primary.status === null || record.grantId === null) return;
  const wanted = wantedReplicas(record, primary);
  const { held, role, minReplicas, promise, state } = primary.status;
  const works = state === "running" && role === "master" && !held && minReplicas === wanted;
  const promised = promise?.epoch === record.epoch && primary.status.standing === "primary";
  if (works && promised && record.kInForce === wanted) return clear(draft, record.id, "grant");
  if (!heldFor(draft, record.id, "grant", held || record.kInForce !== wanted ? 0 : settleMs)) return;
  if (!rarely(draft, record.id, "grant-sent", held ? 1_000 : againMs)) return;
  // Who was sealed for the higher epoch obeys no lower one, and the old master least of all.
  const sealed = record.highestEpoch > record.epoch;
  if (sealed)
    grantAgain(draft, record, { intentId: `${record.id}.${draft.now.entropy}`, by: "holdfast", actionId: null });
  const current = demand(getDocument(draft, "redis", record.id), record.id);
  const configuration = configure(draft, current, wanted);
  sendCommand(draft, current, {
    node: primary.member.node,
    actionId: `${record.id}.grant`,
    stepIndex: 0,
    epoch: current.epoch,
    intentId: demand(current.grantId, "a grant"),
    verb: { verb: "redis.grant", args: { configuration } },
  });
}

/** The same master under a new epoch, above all that were opened: what any of them sealed follows it again, and none of them can win later. */
export function grantAgain(
  draft: Draft,
  record: RedisDocument,
  { intentId, by, actionId }: { readonly intentId: string; readonly by: string; readonly actionId: string | null },
): RedisDocument {
  const epoch = record.highestEpoch + 1;
  const primary = demand(record.primary, "a primary");
  const entry = { epoch, intentId, primary, cause: "regrant", by, at: draft.now.wallMs, actionId } as const;
  return patchRedis(draft, record.id, {
    epoch,
    highestEpoch: epoch,
    grantId: intentId,
    epochs: [...record.epochs.slice(-49), { ...entry, offset: null, givenUpBytes: null }],
  });
}

/** A configuration of the epoch of now with `k` confirming replicas, recorded before it is told. */
export function configure(draft: Draft, record: RedisDocument, k: number): SyncConfiguration {
  const version = record.configVersion + 1;
  const members = countedMembers(record).map(({ id }) => id);
  patchRedis(draft, record.id, { configVersion: version, kInForce: k });
  return { epoch: record.epoch, version, k, members: members.sort() };
}

/** Gone for long and not seen by the primary either: it can't confirm anything. It counts again when it is told to follow. */
export function dropLostReplicas(draft: Draft, record: RedisDocument): void {
  const servers = readServers(draft.state, record, draft.now);
  const primary = servers.find((server) => server.member.id === record.primary);
  if (primary?.fresh !== true || primary.status?.role !== "master") return;
  const connected = new Set(primary.status.replicas.map((row) => `${row.host}:${row.port}`));
  for (const { member } of servers) {
    const key = `gone:${member.id}`;
    const seen = connected.has(`${member.host}:${member.port}`);
    if (member.id === record.primary || member.standing !== "member" || seen) {
      clear(draft, record.id, key);
      continue;
    }
    if (!heldFor(draft, record.id, key, dropAfterMs)) continue;
    const current = demand(getDocument(draft, "redis", record.id), record.id);
    patchRedis(draft, record.id, { members: { ...current.members, [member.id]: { ...member, standing: "fenced" } } });
  }
}
