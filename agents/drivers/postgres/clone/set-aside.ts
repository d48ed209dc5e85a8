import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Endpoint } from "../../../../server/core/index.ts";
import type { Lsn } from "../../../../server/core/replication/lsn.ts";
import { parseHistory, type TimelineSwitch } from "../data-directory.ts";
import type { PostgresInstance } from "../instance.ts";
import { fencedSettings } from "../settings.ts";
import { withConnection } from "../sql.ts";
import { asLsn, asText } from "../status-query.ts";
import { readWalEnd } from "../verbs/seal.ts";

/** What this member has and the new primary's history has not. */
export interface SetAside {
  readonly bytes: number;
  readonly path: string | null;
}

const nothing: SetAside = { bytes: 0, path: null };

/** Copies WAL beyond the point where the primary's history left ours. Answers with its size, 0 when there is none. */
export async function setDivergentWalAside(instance: PostgresInstance, primary: Endpoint): Promise<SetAside> {
  await instance.refreshEmpty();
  if (instance.empty) return nothing;
  const own = await ownEnd(instance);
  if (own === null) return nothing;
  const branch = await findBranch(instance, primary, own.timeline);
  if (branch === null || own.lsn <= branch.lsn) return nothing;
  const segmentBytes = await instance.data.segmentBytes();
  const firstSegment = Math.floor(branch.lsn / segmentBytes);
  const path = join(
    instance.service.stateDir,
    "set-aside",
    `${instance.service.cluster}-${new Date().toISOString().replaceAll(":", "")}`,
  );
  await mkdir(path, { recursive: true, mode: 0o700 });
  for (const name of await instance.data.walFiles()) {
    if (segmentOf(name, segmentBytes) < firstSegment) continue;
    await copyFile(instance.data.file(join("pg_wal", name)), join(path, name));
  }
  return { bytes: own.lsn - branch.lsn, path };
}

/** End of the WAL that this member has. A stopped one is started fenced for it: only replay knows where valid WAL ends. */
async function ownEnd(instance: PostgresInstance): Promise<{ readonly lsn: Lsn; readonly timeline: number } | null> {
  try {
    if (!instance.running) await instance.startStandby(fencedSettings);
    const connection = await instance.waitReady();
    const [row] = await connection.query(
      "SELECT CASE WHEN r THEN NULL ELSE pg_current_wal_flush_lsn() END AS flush, r AS recovery FROM pg_is_in_recovery() AS r",
      [],
      2_000,
    );
    const lsn = row?.recovery === true ? (await readWalEnd(instance)).lsn : asLsn(row?.flush);
    const timeline = lsn === null ? null : await instance.data.timelineAt(lsn, await instance.data.segmentBytes());
    return lsn === null || timeline === null ? null : { lsn, timeline };
  } catch (error) {
    instance.host.log("warn", "the end of local WAL could not be read; nothing is set aside", { error: String(error) });
    return null;
  }
}

/** Where the primary's lineage left our timeline; null when it is still on it, or came from somewhere else. */
async function findBranch(
  instance: PostgresInstance,
  primary: Endpoint,
  timeline: number,
): Promise<TimelineSwitch | null> {
  const target = { ...instance.target("holdfast rejoin"), host: primary.host, port: primary.port };
  return withConnection(target, 3_000, async (connection) => {
    const [row] = await connection.query(
      "SELECT pg_read_file('pg_wal/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '.history', 0, 1000000, true) AS history",
      [],
      3_000,
    );
    const lines = (asText(row?.history) ?? "").split("\n");
    for (const line of lines) {
      const branch = parseHistory(line);
      if (branch?.parent === timeline) return branch;
    }
    return null;
  }).catch(() => null);
}

function segmentOf(name: string, segmentBytes: number): number {
  const perId = 0x1_0000_0000 / segmentBytes;
  return Number.parseInt(name.slice(8, 16), 16) * perId + Number.parseInt(name.slice(16), 16);
}
