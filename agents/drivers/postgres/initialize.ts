import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeDurably } from "../../shared/durable-file.ts";
import { quoteIdentifier, quoteLiteral } from "./conf-text.ts";
import type { PostgresInstance } from "./instance.ts";
import { runProgram } from "./processes.ts";
import type { PostgresService } from "./service.ts";
import type { SqlConnection } from "./sql.ts";
import { Failure } from "./verbs/context.ts";

const initdbDeadlineMs = 120_000;

/** Runs `initdb` with data checksums and writes who may connect. */
export async function createCluster(instance: PostgresInstance): Promise<void> {
  const { service, data } = instance;
  await data.create();
  await data.clear();
  const scratch = await mkdtemp(join(tmpdir(), "holdfast-"));
  try {
    const passwordFile = join(scratch, "password");
    if (service.runAs) await chown(scratch, service.runAs.uid, service.runAs.gid);
    if (service.password !== null) {
      await writeDurably(passwordFile, `${service.password}\n`, { mode: 0o600, owner: service.runAs });
    }
    const args = [
      "-D",
      service.dataDir,
      "-U",
      service.user,
      "-E",
      "UTF8",
      "--data-checksums",
      "-A",
      service.authentication,
    ];
    if (service.password !== null) args.push("--pwfile", passwordFile);
    const result = await runProgram(join(service.binDir, "initdb"), [...args, ...(await localeArguments(service))], {
      runAs: service.runAs,
      deadlineMs: initdbDeadlineMs,
    });
    if (result.code !== 0) {
      await data.clear();
      throw new Failure("initdb", `initdb ended with code ${result.code}: ${result.output.slice(-600)}`);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  await data.write("pg_hba.conf", hostRules(service));
  await data.unmarkUnfinished();
}

/** A collation that no system library can change under the indexes: PostgreSQL's own C.UTF-8 from version 17 on. */
async function localeArguments(service: PostgresService): Promise<readonly string[]> {
  const { output } = await runProgram(join(service.binDir, "postgres"), ["--version"], {
    runAs: service.runAs,
    deadlineMs: 10_000,
  });
  const major = Number(/(\d+)/.exec(output)?.[1] ?? 0);
  return major >= 17 ? ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : ["--locale=C.UTF-8"];
}

function hostRules(service: PostgresService): string {
  const { authentication, allowFrom, user } = service;
  const lines = allowFrom.flatMap((network) => [
    `host all all ${network} ${authentication}`,
    `host replication ${quoteIdentifier(user)} ${network} ${authentication}`,
  ]);
  return `# Written once by holdfast when it made this cluster; yours to change from here on.\n${lines.join("\n")}\n`;
}

/** The table for heartbeat rows; on a fresh cluster also the configured databases with their owners. Idempotent. */
export async function prepareDatabase(instance: PostgresInstance, options: { readonly fresh: boolean }): Promise<void> {
  const connection = await instance.control();
  await connection.query(
    `CREATE SCHEMA IF NOT EXISTS holdfast;
     CREATE TABLE IF NOT EXISTS holdfast.heartbeat (
       node text PRIMARY KEY, at timestamptz NOT NULL, beats bigint NOT NULL DEFAULT 0) WITH (fillfactor = 20)`,
    [],
    10_000,
  );
  if (!options.fresh) return;
  for (const database of instance.service.databases) await createDatabase(connection, database);
}

async function createDatabase(
  connection: SqlConnection,
  database: { readonly name: string; readonly owner: string; readonly password: string | null },
): Promise<void> {
  const owner = quoteIdentifier(database.owner);
  const password = database.password === null ? "" : ` PASSWORD ${quoteLiteral(database.password)}`;
  const [role] = await connection.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [database.owner], 5_000);
  if (role === undefined) await connection.query(`CREATE ROLE ${owner} LOGIN${password}`, [], 5_000);
  const [existing] = await connection.query("SELECT 1 FROM pg_database WHERE datname = $1", [database.name], 5_000);
  if (existing === undefined)
    await connection.query(`CREATE DATABASE ${quoteIdentifier(database.name)} OWNER ${owner}`, [], 30_000);
}
