import { hasCode } from "../../../shared/durable-file.ts";
import { quoteLiteral } from "../conf-text.ts";
import { withConnection } from "../sql.ts";
import { type ArgsOf, assertDatabase, type Data, Failure, Refusal, type VerbContext } from "./context.ts";

const connectMs = 5_000;
/** A commit may wait for a synchronous standby. */
const statementMs = 30_000;
const undefinedObject = "42704";

/**
 * Ends a prepared transaction. Only from within its own database, and by name: neither statement takes a parameter, so the name is quoted as
 * a literal. That it is there is checked first; that it is gone already is an answer, not a failure.
 */
export async function resolveInDoubt({ instance }: VerbContext, args: ArgsOf<"postgres.resolve">): Promise<Data> {
  assertDatabase(instance);
  if (!instance.running) throw new Refusal("stopped", "PostgreSQL does not run on this member");
  if (await instance.inRecovery()) throw new Refusal("is-standby", "only a primary can end a prepared transaction");
  const target = { ...instance.target("holdfast resolve"), database: args.database };
  const statement = `${args.decision === "commit" ? "COMMIT" : "ROLLBACK"} PREPARED ${quoteLiteral(args.gid)}`;
  await withConnection(target, connectMs, async (connection) => {
    const query = "SELECT 1 FROM pg_prepared_xacts WHERE gid = $1 AND database = $2";
    const found = await connection.query(query, [args.gid, args.database], connectMs);
    if (found.length === 0)
      throw new Refusal("in-doubt-gone", `${args.gid} is not prepared in ${args.database} any more`);
    try {
      await connection.query(statement, [], statementMs);
    } catch (error) {
      if (hasCode(error, undefinedObject)) throw new Refusal("in-doubt-gone", `${args.gid} was ended by somebody else`);
      throw new Failure("not-resolved", error instanceof Error ? error.message : String(error));
    }
  });
  instance.monitor.wake();
  return { gid: args.gid, decision: args.decision };
}
