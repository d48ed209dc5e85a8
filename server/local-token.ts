import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { hashToken } from "./protocol/token-hash.ts";

/**
 * A token for the command line on this machine, new at each start, in a file that only the server's own user may read; it goes
 * with the process. Answers with its hash.
 */
export async function writeLocalToken(config: Config, lifecycle: Pick<Lifecycle, "onStop">): Promise<string> {
  const token = `hl_${randomBytes(32).toString("base64url")}`;
  const file = join(config.dataDir, "local.token");
  mkdirSync(config.dataDir, { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, `${config.publicUrl}\n${token}\n`, { mode: 0o600, flag: "wx" });
  lifecycle.onStop("the local token", () => rmSync(file, { force: true }));
  return hashToken(token);
}
