import { createHash } from "node:crypto";
import { copyFile, mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Endpoint } from "../../../../server/core/index.ts";
import type { Lsn } from "../../../../server/core/replication/lsn.ts";
import { exists, syncDirectory } from "../../../shared/durable-file.ts";
import { messageOf } from "../../../shared/time.ts";
import type { PostgresInstance } from "../instance.ts";
import { fencedSettings } from "../settings.ts";
import { withConnection } from "../sql.ts";
import { asLsn, asText } from "../status-query.ts";
import { Failure } from "../verbs/context.ts";
import { readWalEnd } from "../verbs/seal.ts";
import { firstDivergentLsn, type History, parseLineage, segmentOf, type WalEnd } from "./divergence.ts";

/** What this member has and the new primary's history has not. */
export interface SetAside {
  /** Bytes past the fork; where the fork or our end is unknown, all bytes that were copied. */
  readonly bytes: number;
  readonly path: string | null;
}

const nothing: SetAside = { bytes: 0, path: null };
/** Left free on the disk that takes the copy: the agent writes its promises there. */
const spareBytes = 64 * 1024 * 1024;

/**
 * Copies WAL beyond the point where the primary's history left ours, before anything is overwritten. What can't be told apart is copied whole.
 * @throws Failure `set-aside` when there is something to keep and it can't be kept: then nothing may be overwritten.
 */
export async function setDivergentWalAside(instance: PostgresInstance, primary: Endpoint): Promise<SetAside> {
  await instance.refreshEmpty();
  if (instance.empty) return nothing;
  const own = await readOwnEnd(instance);
  const from = firstDivergentLsn(own, await readHistory(instance, primary));
  if (from === null) return nothing;
  try {
    const copied = await copyWal(instance, from);
    return { bytes: own === null || from === 0 ? copied.bytes : own.lsn - from, path: copied.path };
  } catch (error) {
    throw new Failure(
      "set-aside",
      `WAL that only this member has could not be set aside, so nothing was overwritten: ${messageOf(error)}. Make room below ${instance.service.stateDir}, or empty the data directory if it may go`,
    );
  }
}

export async function copyWal(
  instance: PostgresInstance,
  from: Lsn,
): Promise<{ readonly bytes: number; readonly path: string }> {
  const { data, service } = instance;
  const segmentBytes = await data.segmentBytes();
  const firstSegment = Math.floor(from / segmentBytes);
  const names = (await data.walFiles()).filter((name) => segmentOf(name, segmentBytes) >= firstSegment);
  const fingerprint = createHash("sha256");
  let bytes = 0;
  for (const name of names) {
    const { size, mtimeMs } = await stat(data.file(join("pg_wal", name)));
    fingerprint.update(`${name} ${size} ${mtimeMs}\n`);
    bytes += size;
  }
  // Named by what is in it: a rejoin that is tried again and again copies it once.
  const path = join(service.stateDir, "set-aside", `${service.cluster}-${fingerprint.digest("hex").slice(0, 16)}`);
  if (await exists(path)) return { bytes, path };
  const unfinished = `${path}.tmp`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const disk = await statfs(unfinished);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes < bytes + spareBytes) throw new Error(`${bytes} bytes of WAL, and ${freeBytes} bytes are free`);
  for (const name of names) await copyDurably(data.file(join("pg_wal", name)), join(unfinished, name));
  await syncDirectory(unfinished);
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
  return { bytes, path };
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const file = await open(to, "r+");
  await file.sync().finally(() => file.close());
}

/**
 * End of the WAL that this member has; null when it can't be told. A stopped one is started fenced for it: only replay knows where valid WAL
 * ends.
 */
async function readOwnEnd(instance: PostgresInstance): Promise<WalEnd | null> {
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
    instance.host.log("warn", "the end of local WAL could not be read; all of it is set aside", {
      error: String(error),
    });
    // What hangs or does not come up is overwritten next: its files must not change under the copy.
    await instance.stopFenced();
    return null;
  }
}

/** The primary's timeline and where it left its ancestors. @throws Failure when the primary does not say. */
async function readHistory(instance: PostgresInstance, primary: Endpoint): Promise<History> {
  const target = { ...instance.target("holdfast rejoin"), host: primary.host, port: primary.port };
  try {
    return await withConnection(target, 3_000, async (connection) => {
      const [row] = await connection.query(
        `SELECT substr(pg_walfile_name(lsn), 1, 8) AS timeline, pg_current_wal_flush_lsn() AS flush,
          pg_read_file('pg_wal/' || substr(pg_walfile_name(lsn), 1, 8) || '.history', 0, 1000000, true) AS history
         FROM pg_current_wal_lsn() AS lsn`,
        [],
        3_000,
      );
      const timeline = Number.parseInt(String(row?.timeline), 16);
      const flushLsn = asLsn(row?.flush);
      if (!Number.isInteger(timeline) || flushLsn === null) throw new Error("its position is unknown");
      return { timeline, flushLsn, lineage: parseLineage(asText(row?.history)) };
    });
  } catch (error) {
    throw new Failure("history-unknown", `${primary.node} did not say where its history begins: ${messageOf(error)}`);
  }
}
