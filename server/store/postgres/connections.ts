import { Pool, type PoolClient, type QueryResultRow } from "pg";
import { StoreUnavailableError } from "../shared/store-error.ts";
import { classifyFailure, describeFailure, toStoreError } from "./failure.ts";

/** Detection must not wait for a database that hangs. */
const hotTimeoutMs = 2_000;
/** Lists, reports, and the load at start. */
const slowTimeoutMs = 15_000;
/** The server gives up a little earlier than we do: its answer says that nothing was written. */
const serverHeadStartMs = 200;

/** Three sets of connections, so that neither ingest nor screens make a commit of the loop wait for a free one. */
export interface Connections {
  readonly loop: Pool;
  readonly ingest: Pool;
  readonly reads: Pool;
  close(): Promise<void>;
}

export function openConnections(url: string): Connections {
  const loop = openPool(url, { name: "loop", max: 2, timeoutMs: hotTimeoutMs });
  const ingest = openPool(url, { name: "ingest", max: 4, timeoutMs: hotTimeoutMs });
  const reads = openPool(url, { name: "reads", max: 8, timeoutMs: slowTimeoutMs });
  return {
    loop,
    ingest,
    reads,
    async close() {
      await Promise.all([loop.end(), ingest.end(), reads.end()]);
    },
  };
}

interface PoolPlan {
  readonly name: string;
  readonly max: number;
  readonly timeoutMs: number;
}

function openPool(url: string, { name, max, timeoutMs }: PoolPlan): Pool {
  const pool = new Pool({
    connectionString: url,
    application_name: `holdfast-${name}`,
    max,
    connectionTimeoutMillis: hotTimeoutMs,
    query_timeout: timeoutMs,
    idleTimeoutMillis: 0,
    keepAlive: true,
    options: `-c synchronous_commit=on -c statement_timeout=${timeoutMs - serverHeadStartMs}`,
  });
  // An idle connection that breaks is taken out of the pool; the next statement says what is wrong.
  pool.on("error", () => {});
  return pool;
}

/** A prepared statement: planned once a connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Runs one statement in one round trip; answers with its rows. Rejects as the ports promise. */
export async function runStatement<Row extends QueryResultRow>(
  pool: Pool,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const client = await acquire(pool);
  return withClient(client, async () => (await client.query<Row>({ ...statement, values: [...values] })).rows).catch(
    (error: unknown) => {
      throw toStoreError(error);
    },
  );
}

/** Runs statements on one snapshot of the database, without writing. */
export async function readSnapshot<T>(pool: Pool, read: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await acquire(pool);
  return withClient(client, async () => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    try {
      const result = await read(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch(() => {});
      throw error;
    }
  }).catch((error: unknown) => {
    throw toStoreError(error);
  });
}

/** Nothing has been sent when this rejects. */
export async function acquire(pool: Pool): Promise<PoolClient> {
  return pool.connect().catch((error: unknown) => {
    throw new StoreUnavailableError(describeFailure(error), error);
  });
}

/** Gives the connection back; one without an answer is closed, since its answer may still come. */
export async function withClient<T>(client: PoolClient, use: () => Promise<T>): Promise<T> {
  // A connection in use that breaks reports twice: to its statement, and here.
  const ignore = () => {};
  client.on("error", ignore);
  let broken = false;
  try {
    return await use();
  } catch (error) {
    broken = classifyFailure(error) === "lost";
    throw error;
  } finally {
    client.off("error", ignore);
    if (broken) client.on("error", ignore);
    client.release(broken);
  }
}
