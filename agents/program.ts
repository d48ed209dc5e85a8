// The agent as a program: `holdfast agent --config agent.yaml`. The bundle that nodes get starts here.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { copierArgument, runCopier } from "./drivers/postgres/clone/copy-process.ts";
import { ConfigError, runAgent } from "./main.ts";

// An agent makes little garbage, steadily: letting the young generation grow costs tens of megabytes and saves nothing.
setFlagsFromString("--semi-space-growth-factor=1");

/** Exit codes: 0 ended by a signal, 1 an error, 2 command line or configuration. */
async function main(): Promise<number> {
  let configPath: string | undefined;
  try {
    configPath = parseArgs({ options: { config: { type: "string" } } }).values.config;
  } catch (error) {
    console.error((error as Error).message);
  }
  if (configPath === undefined) {
    console.error("Name the node's configuration: holdfast agent --config agent.yaml");
    return 2;
  }
  try {
    await runAgent(configPath);
    return 0;
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    return error instanceof ConfigError ? 2 : 1;
  }
}

if (process.argv[2] === copierArgument) runCopier();
else process.exit(await main());
