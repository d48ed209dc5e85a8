import { Agent } from "./agent.ts";
import { loadConfig } from "./config/load.ts";
import { createLog } from "./shared/log.ts";
import { messageOf } from "./shared/time.ts";

export { ConfigError } from "./config/load.ts";
export { agentVersion } from "./connection/session.ts";

/**
 * Runs the node agent until SIGTERM or SIGINT, then resolves. PostgreSQL runs on unless the configuration says `stopWithAgent: true`.
 * @throws ConfigError (file, line, reason), or an Error that says what is wrong with the state directory or the port.
 */
export async function runAgent(configPath: string): Promise<void> {
  const config = await loadConfig(configPath);
  const log = createLog(config.node);
  // Everything that has to hold is waited for. What goes on beside it, and fails unheard, must not end who watches the database.
  process.on("unhandledRejection", (reason) => log("error", "something beside failed", { error: explain(reason) }));
  const agent = await Agent.create(config, log);
  await agent.start();
  log("info", "agent started", { server: config.server, cluster: config.postgres?.cluster ?? null });
  await untilSignalled();
  log("info", "agent stops");
  await agent
    .stop()
    .catch((error: unknown) => log("error", "the agent did not stop cleanly", { error: messageOf(error) }));
}

function untilSignalled(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
}

function explain(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
