import type { RedisService } from "./service.ts";

/** An address where nobody answers: a server that follows it is read-only and takes nothing from anybody. */
export const nobody = { host: "127.0.0.1", port: 1 } as const;

/** A replica that has not acknowledged for longer does not count for `min-replicas-to-write`. Whole seconds; one is the least. */
export const minReplicasMaxLagSeconds = 1;

/** What a server of a replica set begins as. `nobody` is the fenced start: no write before a grant was confirmed. */
export type StartAs =
  | { readonly kind: "master"; readonly minReplicas: number }
  | { readonly kind: "replica"; readonly host: string; readonly port: number };

/**
 * The whole configuration file, written before every start: what an earlier run or an operator left behind must not decide whether this
 * server takes writes.
 */
export function renderSettings(service: RedisService, startAs: StartAs | null): string {
  const { managed, password, user } = service;
  if (managed === null) throw new Error("invariant: only a managed server has settings of ours");
  const lines = Object.entries(managed.settings).map(([key, value]) => `${key} ${quote(value)}`);
  const own = (key: string, value: string | number) => lines.push(`${key} ${quote(String(value))}`);
  own("bind", service.host);
  own("port", service.port);
  own("dir", managed.dir);
  own("daemonize", "no");
  own("pidfile", `${managed.dir}/redis.pid`);
  own("replica-read-only", "yes");
  own("repl-ping-replica-period", 1);
  own("repl-diskless-sync", "yes");
  own("repl-diskless-sync-delay", 0);
  own("replica-announce-ip", service.advertise.host);
  own("replica-announce-port", service.advertise.port);
  if (managed.settings.appendonly === undefined) own("appendonly", "yes");
  if (password !== null) {
    own("masterauth", password);
    if (user === null) own("requirepass", password);
    else own("masteruser", user);
  }
  if (service.mode === "cluster") {
    own("cluster-enabled", "yes");
    own("cluster-config-file", "nodes.conf");
    own("cluster-announce-ip", service.advertise.host);
    own("cluster-announce-port", service.advertise.port);
  }
  if (startAs !== null) {
    own("min-replicas-max-lag", minReplicasMaxLagSeconds);
    if (startAs.kind === "master") own("min-replicas-to-write", startAs.minReplicas);
    else lines.push(`replicaof ${startAs.host} ${startAs.port}`);
  }
  return `${lines.join("\n")}\n`;
}

function quote(value: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(value)
    ? value
    : `"${value.replace(/[\\"]/g, (sign) => `\\${sign}`).replace(/\n/g, "\\n")}"`;
}
