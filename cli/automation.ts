import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { print } from "./print.ts";

/** Lets automatic failover act, or holds it. `path`: of the cluster in the API. @throws CommandError */
export async function setAutomation(
  api: Api,
  path: string,
  cluster: string,
  state: string,
  { reason, json }: { readonly reason: string; readonly json: boolean },
): Promise<void> {
  if (state !== "on" && state !== "hold") throw new CommandError(exitCodes.usage, "The state is `on` or `hold`.");
  const done = await api.send("PUT", `${path}/automation`, { state: state === "on" ? "on" : "held", reason });
  print(json, done, () => [`Automation of ${cluster} is ${state === "on" ? "on" : "held"}.`]);
}
