import { join } from "node:path";
import { slotName } from "../names.ts";
import { runProgram } from "../processes.ts";
import { withConnection } from "../sql.ts";
import { asNumber } from "../status-query.ts";
import { Failure } from "../verbs/context.ts";
import { type CloneOptions, ensureReservedSlot, measureDirectory, sourceConnInfo, sourceTarget } from "./source.ts";

const backupDeadlineMs = 12 * 60 * 60_000;
const progressIntervalMs = 500;

/** Clones with PostgreSQL's own `pg_basebackup`. Answers with the bytes copied. */
export async function cloneByBaseBackup(options: CloneOptions): Promise<number> {
  const { instance, primary, signal, progress } = options;
  const { service, data } = instance;
  const target = sourceTarget(options);
  const total = await withConnection(target, 5_000, async (connection) => {
    await ensureReservedSlot(connection, slotName(service.node));
    const [row] = await connection.query(
      "SELECT sum(pg_database_size(oid))::text AS bytes FROM pg_database",
      [],
      60_000,
    );
    return asNumber(row?.bytes) ?? 0;
  });
  await data.markUnfinished();
  await data.create();
  await data.clear();
  const timer = setInterval(() => {
    void measureDirectory(service.dataDir).then((bytes) =>
      progress(total === 0 ? 0 : Math.min(0.99, bytes / total), bytes, total),
    );
  }, progressIntervalMs);
  try {
    const result = await runProgram(
      join(service.binDir, "pg_basebackup"),
      // prettier-ignore
      [
        "-D",
        service.dataDir,
        "-d",
        sourceConnInfo(instance, primary),
        "-X",
        "stream",
        "-S",
        slotName(service.node),
        "-c",
        "fast",
        "--no-password",
      ],
      {
        runAs: service.runAs,
        deadlineMs: backupDeadlineMs,
        signal,
        env: service.password === null ? {} : { PGPASSWORD: service.password },
      },
    );
    if (result.code !== 0) {
      await data.clear();
      throw new Failure("clone", `pg_basebackup ended with code ${result.code}: ${result.output.slice(-600)}`);
    }
  } finally {
    clearInterval(timer);
  }
  await data.unmarkUnfinished();
  const bytes = await measureDirectory(service.dataDir);
  progress(1, bytes, Math.max(bytes, total));
  return bytes;
}
