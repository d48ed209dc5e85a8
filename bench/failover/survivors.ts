import pg from "pg";
import type { PortAddress } from "../../demo/network/silent-ports.ts";
import type { Credentials } from "../../demo/writer/lane.ts";

/** Asks one server directly. @throws the driver's error */
async function query<Row extends pg.QueryResultRow>(
  address: PortAddress,
  credentials: Credentials,
  text: string,
): Promise<readonly Row[]> {
  const client = new pg.Client({ ...credentials, ...address, connectionTimeoutMillis: 2_000, query_timeout: 10_000 });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** All ids that a server holds. */
export async function readIds(
  address: PortAddress,
  credentials: Credentials,
  table: string,
): Promise<ReadonlySet<number>> {
  const rows = await query<{ id: string }>(address, credentials, `SELECT id::text AS id FROM ${table}`);
  return new Set(rows.map(({ id }) => Number(id)));
}

/** Nodes that stream from this server, by the names of their connections (`e<epoch>_<node>`). */
export async function readStreaming(address: PortAddress, credentials: Credentials): Promise<ReadonlySet<string>> {
  const rows = await query<{ name: string }>(
    address,
    credentials,
    "SELECT application_name AS name FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('quorum', 'sync')",
  );
  return new Set(rows.map(({ name }) => name.replace(/^e\d+_/, "")));
}
