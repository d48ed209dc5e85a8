import type { PostgresInstance } from "../instance.ts";
import { Refusal } from "./context.ts";

/** What a rejoin would overwrite. */
export interface PresentData {
  /** No database, or one that a clone or rewind left unfinished. */
  readonly empty: boolean;
  /** Some grant was given to this member before, so that the data is a copy of the cluster's. */
  readonly granted: boolean;
  /** It runs as a primary, or would: it is stopped without `standby.signal`. Not looked at on a granted member. */
  readonly asPrimary: boolean;
  /** Null when the control file can't be read. */
  readonly systemId: string | null;
}

export async function lookAtData(instance: PostgresInstance): Promise<PresentData> {
  await instance.refreshEmpty();
  const granted = instance.host.fence().standing.kind !== "none";
  // A granted one may hang, and comes back all the same: it is not asked.
  const isStandby = granted || (instance.running ? await instance.isStandby() : await instance.data.hasStandbySignal());
  return {
    empty: instance.empty,
    granted,
    asPrimary: !isStandby,
    systemId: await instance.data.systemId(),
  };
}

/**
 * Nothing is overwritten that may be the only copy of somebody's data. A deposed primary was granted and is of the same system; a new member
 * has an empty directory; neither is stopped here.
 * @throws Refusal `foreign-system`, `not-ours`
 */
export function assertOverwritable(
  data: PresentData,
  source: { readonly node: string; readonly systemId: string | null },
): void {
  if (data.empty) return;
  if (data.systemId !== null && data.systemId !== source.systemId) {
    throw new Refusal(
      "foreign-system",
      `the data here is of another cluster (system ${data.systemId}, ${source.node} has ${source.systemId ?? "none"}) and is not overwritten; empty the data directory if it may go`,
    );
  }
  if (!data.granted && (data.asPrimary || data.systemId === null)) {
    throw new Refusal(
      "not-ours",
      `the data here ${data.systemId === null ? "can't be identified" : "is a primary's"}, and this member was never granted anything; it is not overwritten. Empty the data directory if it may go`,
    );
  }
}
