import type { FenceRecord } from "../../fence/promise.ts";
import type { PostgresInstance } from "./instance.ts";
import { parseApplicationName } from "./names.ts";
import type { SenderStatus, ServerStatus } from "./status-query.ts";

/** Why a connection of a standby must end. */
export interface SenderOffence {
  readonly sender: SenderStatus;
  readonly kind: "duplicate" | "other-epoch";
}

/**
 * Pure: walsenders that could make `ANY k` count wrongly. Two connections of one name satisfied `ANY 2`; a name of another epoch belongs to a
 * standby that follows an older or a foreign grant. Of duplicates the older connection goes: the newer one is the member as it is now.
 */
export function findOffences(status: ServerStatus, fence: FenceRecord): readonly SenderOffence[] {
  if (status.recovery || fence.promise === null) return [];
  const { epoch } = fence.promise;
  const newest = new Map<string, SenderStatus>();
  const offences: SenderOffence[] = [];
  for (const sender of status.replication) {
    const name = parseApplicationName(sender.applicationName);
    if (name === null) continue;
    if (name.epoch !== epoch) {
      offences.push({ sender, kind: "other-epoch" });
      continue;
    }
    const other = newest.get(sender.applicationName);
    if (other !== undefined)
      offences.push({ sender: other.startedAt <= sender.startedAt ? other : sender, kind: "duplicate" });
    if (other === undefined || other.startedAt <= sender.startedAt) newest.set(sender.applicationName, sender);
  }
  return offences;
}

/** Looks for offences after each status, and on a member that must not receive, for a receiver that came back. */
export async function policeSenders(instance: PostgresInstance, status: ServerStatus): Promise<void> {
  const fence = instance.host.fence();
  for (const { sender, kind } of findOffences(status, fence)) {
    const connection = await instance.control();
    await connection.query("SELECT pg_terminate_backend($1)", [sender.pid], 1_000);
    instance.host.signal("walsender-ended", { kind, name: sender.applicationName, pid: sender.pid });
  }
  const mayNotReceive = fence.standing.kind === "sealed" || fence.standing.kind === "fenced";
  if (status.recovery && mayNotReceive && status.receiver !== null && status.receiver.pid > 0) {
    process.kill(status.receiver.pid, "SIGTERM");
    instance.host.signal("receiver-ended", { pid: status.receiver.pid });
  }
}
