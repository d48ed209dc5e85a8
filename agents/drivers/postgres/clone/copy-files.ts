import { chown, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { RunAs } from "../processes.ts";
import { type Row, SqlConnection, type SqlTarget } from "../sql.ts";
import { asNumber, asText } from "../status-query.ts";
import { Failure } from "../verbs/context.ts";

/** One copy of a source's files into an empty data directory. All but the last can be sent to another process. */
export interface CopyJob {
  readonly source: SqlTarget;
  readonly dataDir: string;
  readonly runAs: RunAs | null;
  readonly progress: (done: number, bytes: number, totalBytes: number) => void;
}

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

/**
 * Copies every file of a source that is in backup mode.
 * Answers with the bytes copied. @throws Failure, or the error of the socket, the server or the disk.
 */
export async function copyFiles(job: CopyJob): Promise<number> {
  // Bytes travel as hexadecimal text: the driver reads its binary format as UTF-8 and would spoil them.
  const reader = await SqlConnection.connect(job.source, { deadlineMs: 5_000 });
  try {
    return await copyTree(job, reader);
  } finally {
    reader.destroy();
  }
}

async function copyTree(job: CopyJob, reader: SqlConnection): Promise<number> {
  const files = await listFiles(reader);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let copied = 0;
  for (const file of files) if (file.isDirectory) await makeDirectory(job, file.path);
  for (const name of emptyDirectories) await makeDirectory(job, name);
  await makeDirectory(job, "pg_wal/archive_status");
  for (const batch of batchesOf(files.filter((file) => !file.isDirectory))) {
    const [only] = batch.files;
    copied +=
      batch.files.length === 1 && only !== undefined && only.bytes > chunkBytes
        ? await copyLarge(job, reader, only)
        : await copySmall(job, reader, batch.files);
    job.progress(total === 0 ? 0 : Math.min(0.99, copied / total), copied, total);
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

async function listFiles(reader: SqlConnection): Promise<readonly SourceFile[]> {
  const rows = await reader.query(listQuery, [emptyDirectories], queryDeadlineMs);
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

async function copySmall(job: CopyJob, reader: SqlConnection, files: readonly SourceFile[]): Promise<number> {
  const rows = await reader.query(
    "SELECT path, pg_read_binary_file(path, 0, $2::bigint, true) AS content FROM unnest($1::text[]) AS path",
    [files.map((file) => file.path), 2 * chunkBytes],
    queryDeadlineMs,
  );
  let bytes = 0;
  for (const row of rows) {
    const path = asText(row.path);
    if (path === null || !Buffer.isBuffer(row.content)) continue;
    await writeFileAt(job, path, [row.content]);
    bytes += row.content.length;
  }
  return bytes;
}

async function copyLarge(job: CopyJob, reader: SqlConnection, file: SourceFile): Promise<number> {
  const { dataDir, runAs } = job;
  const handle = await open(join(dataDir, file.path), "w", 0o600);
  let offset = 0;
  try {
    if (runAs) await handle.chown(runAs.uid, runAs.gid);
    for (;;) {
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

async function writeFileAt({ dataDir, runAs }: CopyJob, path: string, chunks: readonly Buffer[]): Promise<void> {
  const handle = await open(join(dataDir, path), "w", 0o600);
  try {
    if (runAs) await handle.chown(runAs.uid, runAs.gid);
    for (const chunk of chunks) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
}

async function makeDirectory({ dataDir, runAs }: CopyJob, path: string): Promise<void> {
  const full = join(dataDir, path);
  await mkdir(full, { recursive: true, mode: 0o700 });
  if (runAs) await chown(full, runAs.uid, runAs.gid);
}
