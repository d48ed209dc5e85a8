import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Installation, ports } from "./installation.ts";
import type { Host } from "./network.ts";
import { run } from "./shell.ts";

/** A cluster as an administrator makes it by hand: `initdb`, two `pg_basebackup -R`, streaming by slots of their own. Holdfast knows nothing of it yet. */
export function makeExistingCluster(installation: Installation, syncNames: string): void {
  const [first, ...standbys] = installation.members as [Host, ...Host[]];
  const { binDir } = installation.options;
  const tool = (host: Host, name: string, ...args: readonly string[]) =>
    run(host, [join(binDir, name), ...args], { user: "postgres", env: { PGPASSWORD: "replicator-secret" } });
  tool(
    first,
    "initdb",
    "-D",
    installation.dataDir(first),
    "-E",
    "UTF8",
    "-A",
    "scram-sha-256",
    "--auth-local=peer",
    `--pwfile=${writePassword(installation, first)}`,
  );
  const socketDir = installation.folderOf(first);
  appendFileSync(
    join(installation.dataDir(first), "postgresql.conf"),
    `\nlisten_addresses = '*'\nport = ${ports.postgres}\nwal_level = replica\nunix_socket_directories = '${socketDir}'\n`,
  );
  const hba =
    "host all all 10.87.0.0/24 scram-sha-256\nhost replication replicator,holdfast 10.87.0.0/24 scram-sha-256\n";
  appendFileSync(join(installation.dataDir(first), "pg_hba.conf"), hba);
  startByHand(installation, first);
  const statements = ["CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'replicator-secret'"];
  for (const host of standbys) statements.push(`SELECT pg_create_physical_replication_slot('by_hand_${host.name}')`);
  psqlByHand(installation, first, `${statements.join(";\n")};`);
  for (const host of standbys) {
    // prettier-ignore
    tool(
      host,
      "pg_basebackup",
      "-D",
      installation.dataDir(host),
      "-R",
      "-X",
      "stream",
      "-S",
      `by_hand_${host.name}`,
      "-d",
      `host=${first.address} port=${ports.postgres} user=replicator application_name=${host.name}`,
    );
    appendFileSync(
      join(installation.dataDir(host), "postgresql.conf"),
      `\nunix_socket_directories = '${installation.folderOf(host)}'\n`,
    );
    startByHand(installation, host);
  }
  // prettier-ignore
  psqlByHand(
    installation,
    first,
    `ALTER SYSTEM SET synchronous_standby_names = '${syncNames}';\nSELECT pg_reload_conf();`,
  );
}

function writePassword(installation: Installation, host: Host): string {
  const file = join(installation.folderOf(host), "postgres-password");
  writeFileSync(file, "postgres-secret\n", { mode: 0o644 });
  return file;
}

export function startByHand(installation: Installation, host: Host): void {
  const { binDir } = installation.options;
  const log = join(installation.folderOf(host), "postgres.log");
  run(host, [join(binDir, "pg_ctl"), "-D", installation.dataDir(host), "-l", log, "-w", "start"], { user: "postgres" });
}

/** As the `postgres` user over the local socket, as an administrator would. */
export function psqlByHand(installation: Installation, host: Host, text: string, database = "postgres"): string {
  const argv = [
    "psql",
    "-XAtq",
    "-v",
    "ON_ERROR_STOP=1",
    "-h",
    installation.folderOf(host),
    "-p",
    String(ports.postgres),
    "-d",
    database,
    "-f",
    "-",
  ];
  return run(host, argv, { user: "postgres", input: text });
}
