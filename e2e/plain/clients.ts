import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { application, type Installation, ports } from "./installation.ts";
import { run, start, waitUntil } from "./shell.ts";

/** How clients find the primary: a multi-host connection string of libpq, and HAProxy asking the agents. */

const proxyPort = 25_050;

export function connectionString(installation: Installation): string {
  const addresses = installation.members.map((host) => host.address).join(",");
  const { user, database } = application;
  return `postgresql:///${database}?host=${addresses}&port=${ports.postgres}&user=${user}&target_session_attrs=read-write&connect_timeout=2`;
}

/** The address of the server that a multi-host connection string leads to. */
export function askByLibpq(installation: Installation): string {
  return run(installation.client, ["psql", "-XAtc", "SELECT inet_server_addr()", connectionString(installation)], {
    env: { PGPASSWORD: application.password },
    mayFail: true,
  });
}

export function startProxy(installation: Installation): void {
  const { client, members } = installation;
  const servers = members.map(
    (host) => `  server ${host.name} ${host.address}:${ports.postgres} check port ${ports.agentHttp}`,
  );
  const file = join(installation.folderOf(client), "haproxy.cfg");
  writeFileSync(
    file,
    `defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h

listen orders
  bind 127.0.0.1:${proxyPort}
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 250ms fall 1 rise 1 on-marked-down shutdown-sessions
${servers.join("\n")}
`,
  );
  start(client, ["haproxy", "-f", file], join(installation.folderOf(client), "haproxy.log"));
}

/** The address of the server behind the proxy. */
export function askByProxy(installation: Installation): string {
  const { user, password, database } = application;
  const argv = [
    "psql",
    "-XAtc",
    "SELECT inet_server_addr()",
    "-h",
    "127.0.0.1",
    "-p",
    String(proxyPort),
    "-U",
    user,
    "-d",
    database,
  ];
  return run(installation.client, argv, { env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: "2" }, mayFail: true });
}

/** Both ways lead to the primary. Answers with a line to print. */
export async function checkClients(installation: Installation, primary: string): Promise<string> {
  const { members } = installation;
  const wanted = members.find((host) => host.name === primary)?.address ?? "";
  const beganAt = performance.now();
  const both = await waitUntil(
    () => askByLibpq(installation) === wanted && askByProxy(installation) === wanted,
    10_000,
    100,
  );
  const answers = members.map((host) => `${host.name} ${statusOf(installation, host.address)}`).join(", ");
  return `${both ? "clients reach" : "CLIENTS DO NOT REACH"} ${primary} by libpq and HAProxy (${Math.round(performance.now() - beganAt)} ms); GET /primary: ${answers}`;
}

function statusOf(installation: Installation, address: string): string {
  const url = `http://${address}:${ports.agentHttp}/primary`;
  return run(installation.client, ["curl", "-s", "-m", "1", "-o", "/dev/null", "-w", "%{http_code}", url], {
    mayFail: true,
  });
}
