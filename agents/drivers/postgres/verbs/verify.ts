import { monotonicMs, poll } from "../../../shared/time.ts";
import { withConnection } from "../sql.ts";
import { asLsn, heartbeatRow } from "../status-query.ts";
import { type ArgsOf, assertDatabase, type Data, Failure, Refusal, type VerbContext } from "./context.ts";

/** A real write that waits for a follower; then a checkpoint in the background. */
export async function verify({ instance }: VerbContext, args: ArgsOf<"postgres.verify">): Promise<Data> {
  assertDatabase(instance);
  if (!instance.running) throw new Refusal("stopped", "PostgreSQL does not run on this member");
  if (await instance.inRecovery()) throw new Refusal("is-standby", "this member is a standby");
  const startedAt = monotonicMs();
  const data = await withConnection(instance.target("holdfast verify"), 2_000, async (connection) => {
    await connection.query("SET synchronous_commit = on", [], 1_000);
    const [backend] = await connection.query("SELECT pg_backend_pid() AS pid", [], 1_000);
    let outcome: "waiting" | "done" | Error = "waiting";
    const write = connection.query(heartbeatRow, [`${instance.service.node}:verify`], 2 ** 31 - 1).then(
      () => {
        outcome = "done";
      },
      (error: unknown) => {
        outcome = error instanceof Error ? error : new Error(String(error));
      },
    );
    await Promise.race([
      write,
      poll(() => (outcome === "waiting" ? null : true), { intervalMs: 50, deadlineMs: args.deadlineMs }),
    ]);
    if (outcome === "waiting") {
      // Ended, not cancelled: a cancelled wait is reported as a success, and an abandoned backend would wait for ever.
      await (await instance.control())
        .query("SELECT pg_terminate_backend($1)", [backend?.pid], 1_000)
        .catch(() => undefined);
      throw new Failure("not-acknowledged", `no follower acknowledged a write within ${args.deadlineMs} ms`);
    }
    if ((outcome as unknown) instanceof Error) throw outcome;
    const [row] = await connection.query("SELECT pg_current_wal_flush_lsn() AS lsn", [], 1_000);
    return { lsn: asLsn(row?.lsn), ms: Math.round(monotonicMs() - startedAt) };
  });
  void withConnection(instance.target("holdfast checkpoint"), 2_000, (connection) =>
    connection.query("CHECKPOINT", [], 600_000),
  ).catch((error: unknown) =>
    instance.host.log("warn", "the checkpoint after a promotion failed", { error: String(error) }),
  );
  return data;
}
