import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ConfigError, loadConfig } from "./config.ts";
import { Lifecycle } from "./lifecycle.ts";
import { createLog } from "./observe/log.ts";
import { openStores } from "./open-stores.ts";
import { serve } from "./serve.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Exit codes: 1 unexpected, 2 configuration, 3 another control plane leads, 4 the port is taken. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: "string" } }, allowPositionals: true });
  const config = loadConfig(values.config ?? null, process.env);
  const log = createLog(config.logLevel);
  const lifecycle = new Lifecycle(log);
  lifecycle.listen();
  const opened = await openStores(config, lifecycle, log);
  await serve({
    ...opened,
    config,
    root,
    version: readVersion(),
    lifecycle,
    log,
    say: (lines) => console.log(lines.join("\n")),
  });
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return version;
}

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError;
  console.error(expected ? error.message : error);
  process.exit(expected ? error.exitCode : 1);
});
