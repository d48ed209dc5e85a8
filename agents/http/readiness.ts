import type { PostgresStatus } from "../../server/core/index.ts";
import { applicationName } from "../drivers/postgres/names.ts";

export interface Readiness {
  readonly ready: boolean;
  /** One sentence for whoever looks. */
  readonly reason: string;
}

/** Primary only under the newest promise and with k members streaming: a deposed one answers no even while it still runs. */
export function readyAsPrimary(status: PostgresStatus | null): Readiness {
  if (status === null) return no("this agent serves no PostgreSQL");
  if (status.state !== "running" || !status.probe.ok) return no(`PostgreSQL is ${status.state}`);
  if (status.role !== "primary") return no("PostgreSQL is a standby");
  const { promise } = status;
  if (promise === null) return no("no epoch was granted to this primary");
  const configuration = status.configurations.filter((item) => item.epoch === promise.epoch).at(-1);
  if (configuration === undefined) return no(`epoch ${promise.epoch} was promised to another primary`);
  const names = new Set(configuration.members.map((node) => applicationName(configuration.epoch, node)));
  const streaming = status.replication.filter(
    (row) => row.state === "streaming" && names.has(row.applicationName),
  ).length;
  if (streaming < configuration.k) return no(`${streaming} of the ${configuration.k} needed standbys stream`);
  return { ready: true, reason: `primary of epoch ${promise.epoch}, ${streaming} standbys stream` };
}

export function readyAsReplica(status: PostgresStatus | null): Readiness {
  if (status === null) return no("this agent serves no PostgreSQL");
  if (status.state !== "running" || !status.probe.ok) return no(`PostgreSQL is ${status.state}`);
  if (status.role !== "standby") return no("PostgreSQL is the primary");
  if (status.receiver?.status !== "streaming") return no("the standby does not stream");
  return { ready: true, reason: "standby, streaming" };
}

function no(reason: string): Readiness {
  return { ready: false, reason };
}
