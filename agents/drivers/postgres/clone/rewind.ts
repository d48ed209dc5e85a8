import { join } from "node:path";
import type { Endpoint } from "../../../../server/core/index.ts";
import { quoteConnInfo } from "../conf-text.ts";
import type { PostgresInstance } from "../instance.ts";
import { runProgram } from "../processes.ts";

const rewindDeadlineMs = 30 * 60_000;

/** Runs `pg_rewind` against the primary. The target must be stopped; the caller puts settings and signal file right afterwards. */
export async function rewindFrom(
  instance: PostgresInstance,
  primary: Endpoint,
  signal: AbortSignal,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly detail: string }> {
  const { service } = instance;
  const source = [
    `host=${quoteConnInfo(primary.host)}`,
    `port=${primary.port}`,
    `user=${quoteConnInfo(service.user)}`,
    "dbname=postgres",
  ];
  try {
    const result = await runProgram(
      join(service.binDir, "pg_rewind"),
      ["--target-pgdata", service.dataDir, "--source-server", source.join(" ")],
      {
        runAs: service.runAs,
        deadlineMs: rewindDeadlineMs,
        signal,
        env: service.password === null ? {} : { PGPASSWORD: service.password },
      },
    );
    return result.code === 0 ? { ok: true } : { ok: false, detail: result.output.slice(-1_000) };
  } catch (error) {
    return { ok: false, detail: String(error) };
  }
}
