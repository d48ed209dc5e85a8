import { slotName } from "../names.ts";
import { SqlConnection } from "../sql.ts";
import { asText } from "../status-query.ts";
import { Failure } from "../verbs/context.ts";
import { copyInChild } from "./copy-process.ts";
import { type CloneOptions, ensureReservedSlot, sourceTarget } from "./source.ts";
import { syncTree } from "./sync-tree.ts";

/**
 * Clones by the low-level backup API over an ordinary SQL connection, where there is no `pg_basebackup`.
 * Source: PostgreSQL manual, "Making a Base Backup Using the Low Level API". WAL comes by streaming from a slot made before the backup.
 */

const queryDeadlineMs = 120_000;

/** Answers with the bytes copied. */
export async function cloneOverSql(options: CloneOptions): Promise<number> {
  const { instance, signal } = options;
  const target = sourceTarget(options);
  const control = await SqlConnection.connect(target, { deadlineMs: 5_000 });
  try {
    await ensureReservedSlot(control, slotName(instance.service.node));
    const version = Number((await control.query("SHOW server_version_num", [], 5_000))[0]?.server_version_num);
    await instance.data.markUnfinished();
    await instance.data.create();
    await instance.data.clear();
    // The backup lives as long as this connection: losing it aborts the backup on the source.
    await control.query(
      version >= 150_000
        ? "SELECT pg_backup_start('holdfast', true)"
        : "SELECT pg_start_backup('holdfast', true, false)",
      [],
      queryDeadlineMs,
    );
    const bytes = await copyInChild(
      {
        source: { ...target, applicationName: "holdfast clone reader" },
        dataDir: instance.service.dataDir,
        runAs: instance.service.runAs,
        progress: options.progress,
      },
      signal,
    );
    if (signal.aborted) throw new Failure("overtaken", "a higher promise was made while the clone ran");
    const [stop] = await control.query(
      version >= 150_000
        ? "SELECT labelfile, spcmapfile FROM pg_backup_stop(false)"
        : "SELECT labelfile, spcmapfile FROM pg_stop_backup(false, false)",
      [],
      queryDeadlineMs,
    );
    await instance.data.write("backup_label", asText(stop?.labelfile) ?? "");
    await syncTree(instance.service.dataDir);
    await instance.data.unmarkUnfinished();
    return bytes;
  } finally {
    control.destroy();
  }
}
