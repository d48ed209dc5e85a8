import { chownSync, closeSync, fchownSync, mkdirSync, openSync, writeSync } from "node:fs";
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
  const tell = (bytes: number): void => {
    copied += bytes;
    job.progress(total === 0 ? 0 : Math.min(0.99, copied / total), copied, total);
  };
  for (const file of files) if (file.isDirectory) makeDirectory(job, file.path);
  for (const name of emptyDirectories) makeDirectory(job, name);
  makeDirectory(job, "pg_wal/archive_status");
  const plain = files.filter((file) => !file.isDirectory);
  const batches = batchesOf(plain.filter(({ bytes }) => bytes <= chunkBytes));
  const small = async (index: number) => {
    const batch = batches[index];
    return batch === undefined ? null : readSmall(reader, batch);
  };
  await readAhead(small, (rows) => tell(writeSmall(job, rows)));
  for (const file of plain.filter(({ bytes }) => bytes > chunkBytes)) tell(await copyLarge(job, reader, file));
  return copied;
}

/** Reads what comes next while the last is written. Null ends it. */
async function readAhead<T>(read: (index: number) => Promise<T | null>, write: (value: T) => void): Promise<void> {
  let coming = read(0);
  for (let index = 1; ; index += 1) {
    const value = await coming;
    if (value === null) return;
    coming = read(index);
    // Its failure is met at the next turn; until then nobody waits for it.
    coming.catch(() => undefined);
    write(value);
  }
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

/** Small files travel together. */
function batchesOf(files: readonly SourceFile[]): readonly (readonly SourceFile[])[] {
  const batches: SourceFile[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= batchFiles || bytes + file.bytes > batchBytes) {
      batches.push([file]);
      bytes = file.bytes;
    } else {
      last.push(file);
      bytes += file.bytes;
    }
  }
  return batches;
}

function readSmall(reader: SqlConnection, files: readonly SourceFile[]): Promise<readonly Row[]> {
  return reader.query(
    "SELECT path, pg_read_binary_file(path, 0, $2::bigint, true) AS content FROM unnest($1::text[]) AS path",
    [files.map((file) => file.path), 2 * chunkBytes],
    queryDeadlineMs,
  );
}

function writeSmall(job: CopyJob, rows: readonly Row[]): number {
  let bytes = 0;
  for (const row of rows) {
    const path = asText(row.path);
    // One that has vanished since is not needed: WAL says so.
    if (path === null || !Buffer.isBuffer(row.content)) continue;
    const content = row.content;
    withFile(job, path, (file) => writeAll(file, content, 0));
    bytes += content.length;
  }
  return bytes;
}

async function copyLarge(job: CopyJob, reader: SqlConnection, file: SourceFile): Promise<number> {
  withFile(job, file.path, () => undefined);
  let copied = 0;
  // What is added behind a short piece comes with the WAL.
  let ended = false;
  const read = async (index: number): Promise<Buffer | null> => {
    if (ended) return null;
    const [row] = await reader.query(
      "SELECT pg_read_binary_file($1, $2::bigint, $3::bigint, true) AS content",
      [file.path, index * chunkBytes, chunkBytes],
      queryDeadlineMs,
    );
    if (!Buffer.isBuffer(row?.content) || row.content.length === 0) return null;
    ended = row.content.length < chunkBytes;
    return row.content;
  };
  await readAhead(read, (content) => {
    withFile(job, file.path, (handle) => writeAll(handle, content, copied), "r+");
    copied += content.length;
  });
  return copied;
}

/** Without waiting in between: the process that copies has nothing else to do, and a thread for each of thousands of small writes takes longer. */
function withFile({ dataDir, runAs }: CopyJob, path: string, work: (file: number) => void, flags = "w"): void {
  const file = openSync(join(dataDir, path), flags, 0o600);
  try {
    if (runAs && flags === "w") fchownSync(file, runAs.uid, runAs.gid);
    work(file);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, content: Buffer, position: number): void {
  for (let done = 0; done < content.length; ) {
    done += writeSync(file, content, done, content.length - done, position + done);
  }
}

function makeDirectory({ dataDir, runAs }: CopyJob, path: string): void {
  const full = join(dataDir, path);
  mkdirSync(full, { recursive: true, mode: 0o700 });
  if (runAs) chownSync(full, runAs.uid, runAs.gid);
}
