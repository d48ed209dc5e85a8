import { parseApplicationName } from "../../agents/drivers/postgres/names.ts";
import type { AgentModel } from "./agent-model.ts";

/**
 * Ends walsenders that could make a quorum count wrongly, and a receiver that came back on a sealed member, as
 * `agents/drivers/postgres/sender-police.ts` does.
 */
export function policeSenders({ postgres, disk, hands }: AgentModel): void {
  if (!postgres.answers) return;
  const { standing, promise } = disk.fence;
  if (postgres.role === "primary" && promise !== null) {
    const newest = new Map(postgres.senders.map((sender) => [sender.applicationName, sender]));
    postgres.terminateSenders(
      (sender) =>
        newest.get(sender.applicationName) !== sender ||
        parseApplicationName(sender.applicationName)?.epoch !== promise.epoch,
    );
  }
  const mayNotReceive = standing.kind === "sealed" || standing.kind === "fenced";
  if (mayNotReceive && postgres.receiver !== null && hands.terminatesReceiver) postgres.terminateReceiver(() => {});
}
