import { join } from "node:path";
import type { Endpoint } from "../../../../server/core/index.ts";
import type { PostgresInstance } from "../instance.ts";
import { runProgram } from "../processes.ts";
import { fencedSettings } from "../settings.ts";
import { sourceConnInfo } from "./source.ts";
import { syncTree } from "./sync-tree.ts";

const rewindDeadlineMs = 30 * 60_000;

/**
 * Runs `pg_rewind` against the primary; the target must be stopped. From here until it has succeeded the directory is unfinished: what an
 * interrupted one leaves behind is cloned, never started.
 */
export async function rewindFrom(
  instance: PostgresInstance,
  primary: Endpoint,
  signal: AbortSignal,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly detail: string }> {
  const { service, data } = instance;
  const source = `${sourceConnInfo(instance, primary)} dbname=postgres`;
  await data.markUnfinished();
  try {
    const result = await runProgram(
      join(service.binDir, "pg_rewind"),
      // Synced as a whole below: file by file it takes seconds.
      ["--no-sync", "--target-pgdata", service.dataDir, "--source-server", source],
      {
        runAs: service.runAs,
        deadlineMs: rewindDeadlineMs,
        signal,
        env: service.password === null ? {} : { PGPASSWORD: service.password },
      },
    );
    if (result.code !== 0) return { ok: false, detail: result.output.slice(-1_000) };
    // It copies the source's settings and leaves no signal file: both are put right before any start.
    await data.setStandbySignal(true);
    await data.writeSettings(fencedSettings);
    await syncTree(service.dataDir);
    await data.unmarkUnfinished();
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: String(error) };
  }
}
