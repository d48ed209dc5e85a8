import type { CheckConfig } from "../config/schema.ts";
import { withConnection } from "../drivers/postgres/sql.ts";
import type { Finding } from "./runner.ts";

/** One query over a new connection, so that connecting is part of what is checked. */
export async function checkSql(check: Extract<CheckConfig, { kind: "sql" }>): Promise<Finding> {
  const { host, port, user, password, database, query, expect, timeoutMs } = check;
  const target = { host, port, user, password: password ?? null, database, applicationName: "holdfast check" };
  return withConnection(target, timeoutMs, async (connection) => {
    const [row] = await connection.query(query, [], timeoutMs);
    const value = row === undefined ? "no row" : String(Object.values(row)[0]);
    if (expect !== undefined && value !== expect) return { ok: false, detail: `answered ${value}, expected ${expect}` };
    return { ok: true, detail: value };
  });
}
