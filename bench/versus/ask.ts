import type { Host, Layout } from "../../e2e/plain/network.ts";
import { run } from "../../e2e/plain/shell.ts";

export const postgresPort = 25_432;

export interface As {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** From the clients' host. @throws Error when the server does not answer, or says no */
export function askOverNetwork({ client }: Layout, host: Host, as: As, text: string): string {
  const at = ["-h", host.address, "-p", String(postgresPort), "-U", as.user, "-d", as.database];
  const argv = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", ...at, "-f", "-"];
  return run(client, argv, { env: { PGPASSWORD: as.password, PGCONNECT_TIMEOUT: "2" }, input: text });
}
