import { chown, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { releaseMemory } from "../../../shared/release-memory.ts";
import { slotName } from "../names.ts";
import { runProgram } from "../processes.ts";
import { type Row, SqlConnection } from "../sql.ts";
import { asNumber, asText } from "../status-query.ts";
import { Failure } from "../verbs/context.ts";
import { type CloneOptions, ensureReservedSlot, sourceTarget } from "./source.ts";

/**
 * Clones by the low-level backup API over an ordinary SQL connection, where there is no `pg_basebackup`.
 * Source: PostgreSQL manual, "Making a Base Backup Using the Low Level API". WAL comes by streaming from a slot made before the backup.
 */

/** Small on purpose: bytes travel as text, and the agent shares its machine with the database. */
const batchBytes = 1024 * 1024;
const chunkBytes = 512 * 1024;
const batchFiles = 250;
const queryDeadlineMs = 120_000;

/** What the manual says to leave out: contents that belong to the running source. */
const emptyDirectories = [
  "pg_wal",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]; // prettier-ignore
const leftOut =
  /(^|\/)(postmaster\.pid|postmaster\.opts|pg_internal\.init|pgsql_tmp[^/]*|standby\.signal|recovery\.signal|backup_label|tablespace_map|pg_hba\.holdfast-open|postgresql\.auto\.conf\.tmp|core)(\/|$)/;

interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly isDirectory: boolean;
}

interface Batch {
  readonly files: readonly SourceFile[];
}

/** Answers with the bytes copied. */
export async function cloneOverSql(options: CloneOptions): Promise<number> {
  const { instance, signal } = options;
  const target = sourceTarget(options);
  const control = await SqlConnection.connect(target, { deadlineMs: 5_000 });
  // Bytes travel as hexadecimal text: the driver reads its binary format as UTF-8 and would spoil them.
  const reader = await SqlConnection.connect(
    { ...target, applicationName: "holdfast clone reader" },
    { deadlineMs: 5_000 },
  );
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
    const bytes = await copyFiles(options, control, reader);
    if (signal.aborted) throw new Failure("overtaken", "a higher promise was made while the clone ran");
    const [stop] = await control.query(
      version >= 150_000
        ? "SELECT labelfile, spcmapfile FROM pg_backup_stop(false)"
        : "SELECT labelfile, spcmapfile FROM pg_stop_backup(false, false)",
      [],
      queryDeadlineMs,
    );
    await instance.data.write("backup_label", asText(stop?.labelfile) ?? "");
    await syncTree(options);
    await instance.data.unmarkUnfinished();
    return bytes;
  } finally {
    control.destroy();
    reader.destroy();
    releaseMemory();
  }
}

async function copyFiles(options: CloneOptions, control: SqlConnection, reader: SqlConnection): Promise<number> {
  const { progress, signal } = options;
  const files = await listFiles(control);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let copied = 0;
  for (const file of files) if (file.isDirectory) await makeDirectory(options, file.path);
  for (const name of emptyDirectories) await makeDirectory(options, name);
  await makeDirectory(options, "pg_wal/archive_status");
  for (const batch of batchesOf(files.filter((file) => !file.isDirectory))) {
    if (signal.aborted) throw new Failure("overtaken", "a higher promise was made while the clone ran");
    const [only] = batch.files;
    copied +=
      batch.files.length === 1 && only !== undefined && only.bytes > chunkBytes
        ? await copyLarge(options, reader, only)
        : await copySmall(options, reader, batch.files);
    progress(total === 0 ? 0 : Math.min(0.99, copied / total), copied, total);
  }
  return copied;
}

// A file that vanished has no size. The whole record is never NOT NULL: on Unix it has no creation time.
const listQuery = `
WITH RECURSIVE tree(path, bytes, is_directory) AS (
  SELECT name, (stat).size, (stat).isdir
  FROM pg_ls_dir('.', true, false) AS name, LATERAL (SELECT pg_stat_file(name, true) AS stat) AS s WHERE (stat).size IS NOT NULL
  UNION ALL
  SELECT tree.path || '/' || name, (stat).size, (stat).isdir
  FROM tree, LATERAL pg_ls_dir(tree.path, true, false) AS name, LATERAL (SELECT pg_stat_file(tree.path || '/' || name, true) AS stat) AS s
  WHERE tree.is_directory AND (stat).size IS NOT NULL AND tree.path <> ALL ($1::text[])
)
SELECT path, bytes, is_directory FROM tree`;

async function listFiles(control: SqlConnection): Promise<readonly SourceFile[]> {
  const rows = await control.query(listQuery, [emptyDirectories], queryDeadlineMs);
  const files = rows.flatMap((row) => decodeFile(row));
  if (files.some((file) => file.path.startsWith("pg_tblspc/"))) {
    throw new Failure("tablespaces", "the source has tablespaces; cloning them needs pg_basebackup in binDir");
  }
  return files;
}

function decodeFile(row: Row): readonly SourceFile[] {
  const path = asText(row.path);
  if (path === null || leftOut.test(path) || path.split("/").includes("..")) return [];
  return [{ path, bytes: asNumber(row.bytes) ?? 0, isDirectory: row.is_directory === true }];
}

/** Small files travel together; a large one alone, in chunks. */
function* batchesOf(files: readonly SourceFile[]): Generator<Batch> {
  let batch: SourceFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (file.bytes > chunkBytes) {
      yield { files: [file] };
      continue;
    }
    if (batch.length >= batchFiles || bytes + file.bytes > batchBytes) {
      yield { files: batch };
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.bytes;
  }
  if (batch.length > 0) yield { files: batch };
}

async function copySmall(options: CloneOptions, reader: SqlConnection, files: readonly SourceFile[]): Promise<number> {
  const rows = await reader.query(
    "SELECT path, pg_read_binary_file(path, 0, $2::bigint, true) AS content FROM unnest($1::text[]) AS path",
    [files.map((file) => file.path), 2 * chunkBytes],
    queryDeadlineMs,
  );
  let bytes = 0;
  for (const row of rows) {
    const path = asText(row.path);
    if (path === null || !Buffer.isBuffer(row.content)) continue;
    await writeFileAt(options, path, [row.content]);
    bytes += row.content.length;
  }
  return bytes;
}

async function copyLarge(options: CloneOptions, reader: SqlConnection, file: SourceFile): Promise<number> {
  const { data, service } = options.instance;
  const handle = await open(data.file(file.path), "w", 0o600);
  let offset = 0;
  try {
    if (service.runAs) await handle.chown(service.runAs.uid, service.runAs.gid);
    for (;;) {
      if (options.signal.aborted) throw new Failure("overtaken", "a higher promise was made while the clone ran");
      const [row] = await reader.query(
        "SELECT pg_read_binary_file($1, $2::bigint, $3::bigint, true) AS content",
        [file.path, offset, chunkBytes],
        queryDeadlineMs,
      );
      if (!Buffer.isBuffer(row?.content) || row.content.length === 0) return offset;
      await handle.write(row.content, 0, row.content.length, offset);
      offset += row.content.length;
    }
  } finally {
    await handle.close();
  }
}

async function writeFileAt({ instance }: CloneOptions, path: string, chunks: readonly Buffer[]): Promise<void> {
  const handle = await open(instance.data.file(path), "w", 0o600);
  try {
    if (instance.service.runAs) await handle.chown(instance.service.runAs.uid, instance.service.runAs.gid);
    for (const chunk of chunks) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
}

async function makeDirectory({ instance }: CloneOptions, path: string): Promise<void> {
  const full = instance.data.file(path);
  await mkdir(full, { recursive: true, mode: 0o700 });
  const { runAs } = instance.service;
  if (runAs) await chown(full, runAs.uid, runAs.gid);
}

/** One `syncfs` for the whole tree; file by file where that program is not there. */
async function syncTree({ instance }: CloneOptions): Promise<void> {
  const path = instance.service.dataDir;
  const done = await runProgram("/bin/sync", ["-f", path], { runAs: null, deadlineMs: 600_000 }).catch(() => null);
  if (done?.code === 0) return;
  const { readdir } = await import("node:fs/promises");
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const handle = await open(join(entry.parentPath ?? dirname(path), entry.name), "r");
    await handle.sync().finally(() => handle.close());
  }
}
