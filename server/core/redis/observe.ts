import { getDocument, putDocument } from "../documents.ts";
import { type Draft, demand } from "../draft.ts";
import type { RedisStatus } from "./status.ts";
import { patchRedis } from "./steps.ts";

/** An agent that runs a Redis server says so itself; the record follows its word on name and address only. */
export function declareRedis(draft: Draft, node: string, statuses: readonly RedisStatus[]): void {
  for (const status of statuses) {
    const record = getDocument(draft, "redis", status.cluster) ?? createRecord(draft, status);
    // One name, one mode: a server of another kind, or of another node under a known name, is not taken in.
    if (record.mode !== status.mode) continue;
    const known = record.members[status.instance];
    if (known !== undefined && known.node !== node) continue;
    if (known?.host === status.host && known.port === status.port) continue;
    const { host, port, instance } = status;
    const member = { id: instance, node, host, port, standing: known?.standing ?? ("new" as const) };
    patchRedis(draft, record.id, { members: { ...record.members, [instance]: member } });
  }
}

function createRecord(draft: Draft, status: RedisStatus) {
  const { wallMs } = draft.now;
  putDocument(draft, {
    kind: "redis",
    id: status.cluster,
    openedAt: wallMs,
    closedAt: null,
    mode: status.mode,
    epoch: status.mode === "cluster" ? 1 : 0,
    highestEpoch: status.mode === "cluster" ? 1 : 0,
    grantId: status.mode === "cluster" ? `${status.cluster}.${draft.now.entropy}` : null,
    primary: null,
    k: 1,
    kInForce: 0,
    configVersion: 0,
    automation: { state: "on", by: "holdfast", reason: "default", at: wallMs },
    members: {},
    epochs: [],
    lineage: null,
    openActionId: null,
    commandStep: 0,
    budgetUsedAt: [],
    maintenance: null,
    lastMigration: null,
  });
  return demand(getDocument(draft, "redis", status.cluster), status.cluster);
}
