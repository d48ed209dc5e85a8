import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Host, Layout } from "../../e2e/plain/network.ts";
import { start } from "../../e2e/plain/shell.ts";
import { askOverNetwork, postgresPort } from "./ask.ts";
import type { Peer } from "./peer.ts";

const superuser = { username: "postgres", password: "peer-secret" } as const;

/**
 * Patroni with an etcd member on each host. Its lowest documented timing (`ttl: 20`, `loop_wait: 1`, `retry_timeout: 3`) and strict
 * synchronous mode: what its documentation gives as safe against lost writes.
 */
export class Patroni implements Peer {
  readonly name = "patroni";
  readonly settings =
    "etcd on each host, synchronous_mode with strict, ttl 20, loop_wait 1, retry_timeout 3, maximum_lag_on_failover 0";

  constructor(
    private readonly layout: Layout,
    private readonly folder: string,
    private readonly user: { readonly uid: number; readonly gid: number },
  ) {}

  version(): { readonly text: string } | { readonly missing: string } {
    const patroni = spawnSync("patroni", ["--version"], { encoding: "utf8" });
    if (patroni.status !== 0) return { missing: "the package patroni is not installed" };
    const etcd = spawnSync("etcd", ["--version"], { encoding: "utf8" });
    if (etcd.status !== 0) return { missing: "the package etcd-server is not installed" };
    return { text: `${patroni.stdout.trim()}, ${etcd.stdout.split("\n")[0]}` };
  }

  async build(): Promise<void> {
    for (const host of this.layout.members) {
      mkdirSync(this.#at(host), { recursive: true, mode: 0o755 });
      chownSync(this.#at(host), this.user.uid, this.user.gid);
      writeFileSync(join(this.#at(host), "patroni.yml"), stringify(this.#config(host)));
      this.#startEtcd(host);
    }
    for (const host of this.layout.members) this.#startPatroni(host);
  }

  revive(host: Host): void {
    this.#startEtcd(host);
    this.#startPatroni(host);
  }

  sql(host: Host, text: string, database = "postgres"): string {
    return askOverNetwork(
      this.layout,
      host,
      { user: superuser.username, password: superuser.password, database },
      text,
    );
  }

  #at(host: Host): string {
    return join(this.folder, host.name);
  }

  #startEtcd(host: Host): void {
    const members = this.layout.members.map((each) => `${each.name}=http://${each.address}:2380`).join(",");
    const urls = (port: number) => `http://${host.address}:${port}`;
    const flags = [
      ["--name", host.name],
      ["--data-dir", join(this.#at(host), "etcd")],
      ["--listen-peer-urls", urls(2380)],
      ["--initial-advertise-peer-urls", urls(2380)],
      ["--listen-client-urls", urls(2379)],
      ["--advertise-client-urls", urls(2379)],
      ["--initial-cluster", members],
      ["--initial-cluster-state", "new"],
    ];
    start(host, ["etcd", ...flags.flat()], join(this.#at(host), "etcd.log"));
  }

  #startPatroni(host: Host): void {
    const argv = ["patroni", join(this.#at(host), "patroni.yml")];
    start(host, argv, join(this.#at(host), "patroni.log"), { user: "postgres" });
  }

  #config(host: Host): Readonly<Record<string, unknown>> {
    const etcd = this.layout.members.map((each) => `${each.address}:2379`);
    return {
      scope: "orders",
      name: host.name,
      restapi: { listen: `${host.address}:8008`, connect_address: `${host.address}:8008` },
      etcd3: { hosts: etcd },
      bootstrap: {
        dcs: {
          ttl: 20,
          loop_wait: 1,
          retry_timeout: 3,
          maximum_lag_on_failover: 0,
          synchronous_mode: true,
          synchronous_mode_strict: true,
          postgresql: {
            use_pg_rewind: true,
            parameters: { wal_log_hints: "on", max_wal_senders: 10, max_replication_slots: 10, wal_keep_size: "128MB" },
          },
        },
        initdb: [{ encoding: "UTF8" }, "data-checksums"],
        pg_hba: [
          "host all all 10.87.0.0/24 scram-sha-256",
          "host replication all 10.87.0.0/24 scram-sha-256",
          "local all all peer",
        ],
      },
      postgresql: {
        listen: `${host.address}:${postgresPort}`,
        connect_address: `${host.address}:${postgresPort}`,
        data_dir: join(this.#at(host), "data"),
        bin_dir: "/usr/lib/postgresql/15/bin",
        pgpass: join(this.#at(host), "pgpass"),
        authentication: {
          superuser,
          replication: { username: "replicator", password: "peer-secret" },
          rewind: superuser,
        },
        parameters: { unix_socket_directories: this.#at(host), password_encryption: "scram-sha-256" },
      },
    };
  }
}
