import { spawnSync } from "node:child_process";
import { appendFileSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Host, Layout } from "../../e2e/plain/network.ts";
import { run, start } from "../../e2e/plain/shell.ts";
import { askOverNetwork, postgresPort } from "./ask.ts";
import type { Peer } from "./peer.ts";

const binDir = "/usr/lib/postgresql/15/bin";
const environment = { PGPASSWORD: "peer-secret" } as const;

/** repmgrd on each host, with its lowest sensible timing, and `ANY 1 (*)` set by the operator: repmgr itself looks after no synchronous set. */
export class Repmgr implements Peer {
  readonly name = "repmgr";
  readonly settings =
    "monitor_interval_secs 1, reconnect_attempts 2, reconnect_interval 1, synchronous_standby_names ANY 1 (*)";

  constructor(
    private readonly layout: Layout,
    private readonly folder: string,
    private readonly user: { readonly uid: number; readonly gid: number },
  ) {}

  version(): { readonly text: string } | { readonly missing: string } {
    const repmgr = spawnSync(join(binDir, "repmgr"), ["--version"], { encoding: "utf8" });
    return repmgr.status === 0
      ? { text: repmgr.stdout.trim() }
      : { missing: "the package postgresql-15-repmgr is not installed" };
  }

  async build(): Promise<void> {
    const [first, ...standbys] = this.layout.members as [Host, ...Host[]];
    for (const host of this.layout.members) this.#configure(host);
    const passwords = join(this.#at(first), "password");
    writeFileSync(passwords, "peer-secret\n", { mode: 0o644 });
    this.#as(
      first,
      "initdb",
      "-D",
      this.#data(first),
      "-E",
      "UTF8",
      "-k",
      "-U",
      "repmgr",
      "-A",
      "scram-sha-256",
      `--pwfile=${passwords}`,
    );
    appendFileSync(
      join(this.#data(first), "postgresql.conf"),
      `\nlisten_addresses = '*'\nport = ${postgresPort}\nwal_log_hints = on\nshared_preload_libraries = 'repmgr'\nwal_keep_size = '128MB'\nhot_standby = on\nunix_socket_directories = ''\n`,
    );
    appendFileSync(
      join(this.#data(first), "pg_hba.conf"),
      "host all all 10.87.0.0/24 scram-sha-256\nhost replication all 10.87.0.0/24 scram-sha-256\n",
    );
    this.#startServer(first);
    this.sql(first, "CREATE DATABASE repmgr OWNER repmgr");
    this.#repmgr(first, "primary", "register");
    for (const host of standbys) {
      this.#repmgr(
        host,
        "standby",
        "clone",
        "-h",
        first.address,
        "-p",
        String(postgresPort),
        "-U",
        "repmgr",
        "-d",
        "repmgr",
        "--fast-checkpoint",
      );
      this.#startServer(host);
      this.#repmgr(host, "standby", "register", "--force");
    }
    this.sql(first, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'");
    this.sql(first, "SELECT pg_reload_conf()");
    for (const host of standbys) {
      appendFileSync(join(this.#data(host), "postgresql.auto.conf"), "synchronous_standby_names = 'ANY 1 (*)'\n");
      this.#as(host, "pg_ctl", "-D", this.#data(host), "reload");
    }
    for (const host of this.layout.members) this.#startDaemon(host);
  }

  /** As its documentation has an operator do it: rejoin with rewind under the primary of now. */
  revive(host: Host): void {
    const primary = this.layout.members.find((other) => other !== host && this.#isPrimary(other));
    if (primary === undefined) return;
    const conninfo = `host=${primary.address} port=${postgresPort} user=repmgr dbname=repmgr connect_timeout=2`;
    this.#as(host, "pg_ctl", "-D", this.#data(host), "-m", "immediate", "stop");
    this.#repmgr(host, "node", "rejoin", "-d", conninfo, "--force-rewind", "--no-wait");
    this.#startDaemon(host);
  }

  sql(host: Host, text: string, database = "postgres"): string {
    return askOverNetwork(this.layout, host, { user: "repmgr", password: environment.PGPASSWORD, database }, text);
  }

  #isPrimary(host: Host): boolean {
    try {
      return this.sql(host, "SELECT pg_is_in_recovery()") === "f";
    } catch {
      return false;
    }
  }

  #at(host: Host): string {
    return join(this.folder, host.name);
  }

  #data(host: Host): string {
    return join(this.#at(host), "data");
  }

  #configure(host: Host): void {
    mkdirSync(this.#at(host), { recursive: true, mode: 0o755 });
    chownSync(this.#at(host), this.user.uid, this.user.gid);
    const file = join(this.#at(host), "repmgr.conf");
    const tool = (verb: string) => `${join(binDir, "repmgr")} -f ${file} standby ${verb}`;
    const lines = [
      `node_id=${this.layout.members.indexOf(host) + 1}`,
      `node_name='${host.name}'`,
      `conninfo='host=${host.address} port=${postgresPort} user=repmgr dbname=repmgr password=peer-secret connect_timeout=2'`,
      `data_directory='${this.#data(host)}'`,
      `pg_bindir='${binDir}'`,
      "failover=automatic",
      `promote_command='${tool("promote --log-to-file")}'`,
      `follow_command='${tool("follow --log-to-file --upstream-node-id=%n")}'`,
      "monitor_interval_secs=1",
      "reconnect_attempts=2",
      "reconnect_interval=1",
      "use_replication_slots=no",
      "primary_visibility_consensus=true",
      `log_file='${join(this.#at(host), "repmgrd.log")}'`,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    chownSync(file, this.user.uid, this.user.gid);
  }

  #startServer(host: Host): void {
    this.#as(host, "pg_ctl", "-D", this.#data(host), "-l", join(this.#at(host), "postgres.log"), "-w", "start");
  }

  #startDaemon(host: Host): void {
    const argv = [
      join(binDir, "repmgrd"),
      "-f",
      join(this.#at(host), "repmgr.conf"),
      "--daemonize=false",
      "--no-pid-file",
    ];
    start(host, argv, join(this.#at(host), "repmgrd.out"), { user: "postgres", env: environment });
  }

  #repmgr(host: Host, ...args: readonly string[]): string {
    return this.#as(host, "repmgr", "-f", join(this.#at(host), "repmgr.conf"), ...args);
  }

  #as(host: Host, tool: string, ...args: readonly string[]): string {
    return run(host, [join(binDir, tool), ...args], { user: "postgres", env: environment, mayFail: tool !== "initdb" });
  }
}
