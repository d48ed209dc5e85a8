import type { AnyVerb, CommandOutcome, Grant } from "../../../server/core/index.ts";
import { freshParticipant, judgeMessage, type ParticipantState } from "../../../server/core/transaction/index.ts";
import { hasCode } from "../../shared/durable-file.ts";
import { messageOf } from "../../shared/time.ts";
import { answer } from "../program/participant.ts";
import type { PostgresInstance } from "./instance.ts";
import { type SqlConnection, withConnection } from "./sql.ts";

const statementMs = 60_000;
const quickMs = 5_000;
/** SQLSTATE `invalid_catalog_name`. */
const noSuchDatabase = "3D000";

type SqlArgs = Extract<AnyVerb, { verb: "change.sql" }>["args"];

/**
 * A database's part in a change. Its record is the database itself: a prepared transaction under our name, and a row that commits with it. So it
 * survives the agent, follows a failover to the next primary, and a second `COMMIT PREPARED` finds what the first one did.
 */
export class SqlParticipant {
  readonly #instance: PostgresInstance;
  #lane: Promise<unknown> = Promise.resolve();

  constructor(instance: PostgresInstance) {
    this.#instance = instance;
  }

  run(_grant: Grant, verb: AnyVerb): Promise<CommandOutcome> {
    if (verb.verb !== "change.sql") {
      return Promise.resolve({ status: "refused", code: "unknown-verb", detail: `no ${verb.verb} here` });
    }
    const { args } = verb;
    const turn = this.#lane.then(() => this.#step(args));
    this.#lane = turn.catch(() => undefined);
    return turn;
  }

  async #step(args: SqlArgs): Promise<CommandOutcome> {
    if (args.message === "trial") return { status: "refused", code: "no-trial", detail: "a database has no trial" };
    const target = { ...this.#instance.target("holdfast change"), database: args.database };
    try {
      return await withConnection(target, quickMs, async (connection) => {
        const state = await readState(connection, args);
        const record = { ...freshParticipant, state };
        const verdict = judgeMessage(record, { kind: args.message as never, ballot: args.ballot, expiresAt: null });
        try {
          if (verdict.work !== null) await work(connection, verdict.work, args, state);
        } catch (error) {
          await connection.query("ROLLBACK", [], quickMs).catch(() => undefined);
          if (verdict.failed === null) throw error;
          return answer(verdict.failed.record, verdict.failed.answer, messageOf(error));
        }
        return answer(verdict.record, verdict.answer, null);
      });
    } catch (error) {
      if (hasCode(error, noSuchDatabase) && args.message === "abort") return nothingToUndo(args);
      return { status: "failed", code: "database-unreachable", detail: messageOf(error).slice(0, 300) };
    }
  }
}

/** A database that does not exist holds nothing prepared: PostgreSQL drops none that does. */
function nothingToUndo({ ballot }: SqlArgs): CommandOutcome {
  const verdict = judgeMessage(freshParticipant, { kind: "abort", ballot, expiresAt: null });
  return answer(verdict.record, verdict.answer, null);
}

/** Ours that committed are named in a table; what is neither there nor prepared has not happened. */
async function readState(connection: SqlConnection, { gid, change }: SqlArgs): Promise<ParticipantState> {
  const prepared = await connection.query("SELECT 1 FROM pg_prepared_xacts WHERE gid = $1", [gid], quickMs);
  if (prepared.length > 0) return "prepared";
  const [table] = await connection.query("SELECT to_regclass('holdfast.changes') AS name", [], quickMs);
  if (table?.name === null || table === undefined) return "none";
  const done = await connection.query("SELECT 1 FROM holdfast.changes WHERE id = $1", [change], quickMs);
  return done.length > 0 ? "committed" : "none";
}

async function work(
  connection: SqlConnection,
  kind: string,
  { gid, change, statements }: SqlArgs,
  state: ParticipantState,
): Promise<void> {
  switch (kind) {
    case "prepare":
      await connection.query("CREATE SCHEMA IF NOT EXISTS holdfast", [], quickMs);
      await connection.query(
        "CREATE TABLE IF NOT EXISTS holdfast.changes (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
        [],
        quickMs,
      );
      await connection.query("BEGIN", [], quickMs);
      await runStatements(connection, statements);
      await connection.query("INSERT INTO holdfast.changes (id) VALUES ($1)", [change], quickMs);
      await connection.query(`PREPARE TRANSACTION '${quoted(gid)}'`, [], statementMs);
      return;
    case "commit":
      await connection.query(`COMMIT PREPARED '${quoted(gid)}'`, [], statementMs);
      return;
    case "abort":
      if (state === "prepared") await connection.query(`ROLLBACK PREPARED '${quoted(gid)}'`, [], statementMs);
      return;
    default:
      throw new Error(`a database can't ${kind}`);
  }
}

const leaveOut = "leave out BEGIN, COMMIT and ROLLBACK, the change commits by itself";
/** Behind any comments. Each of its ways begins differently, so that a long text costs no more than its length. */
const endsTransaction =
  /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b)|ABORT|PREPARE\s+TRANSACTION)\b/i;

/** Runs the statements. One that ends the transaction would make permanent what a vote of no has to take back. @throws Error */
async function runStatements(connection: SqlConnection, statements: readonly string[]): Promise<void> {
  const ending = statements.find((statement) => endsTransaction.test(statement));
  if (ending !== undefined) throw new Error(`"${ending.slice(0, 80)}" is not for a change to say: ${leaveOut}`);
  const ask = "SELECT pg_current_xact_id()::text AS id";
  const [before] = await connection.query(ask, [], quickMs);
  for (const statement of statements) {
    await connection.query(statement, [], statementMs);
    const [now] = await connection.query(ask, [], quickMs);
    if (now?.id === before?.id) continue;
    throw new Error(`"${statement.slice(0, 80)}" ended the transaction, and what ran before it stays: ${leaveOut}`);
  }
}

function quoted(text: string): string {
  return text.replaceAll("'", "''");
}
