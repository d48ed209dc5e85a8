/** `synchronous_standby_names`, the quorum form only: `ANY k (name, …)`; empty means that commits don't wait. */
export interface SynchronousNames {
  readonly text: string;
  readonly k: number;
  readonly names: readonly string[];
}

export function parseNames(text: string): SynchronousNames {
  if (text === "") return { text, k: 0, names: [] };
  const match = /^ANY (\d+) \(([^)]*)\)$/.exec(text);
  if (match === null) throw new Error(`not the quorum form of synchronous_standby_names: ${text}`);
  const names = (match[2] as string).split(",").map((name) => name.trim().replaceAll('"', ""));
  return { text, k: Number(match[1]), names };
}

/**
 * The position that k walsenders of these names have flushed; −1 when too few are there. PostgreSQL counts walsenders,
 * not names: two connections under one name count twice (`SyncRepGetNthLatestSyncRecPtr`).
 */
export function grantedFlushLsn(
  wanted: SynchronousNames,
  senders: readonly { readonly applicationName: string; readonly flushLsn: number; readonly streaming: boolean }[],
): number {
  if (wanted.k === 0) return -1;
  const positions: number[] = [];
  for (const sender of senders) {
    if (sender.streaming && wanted.names.includes(sender.applicationName)) positions.push(sender.flushLsn);
  }
  if (positions.length < wanted.k) return -1;
  positions.sort((left, right) => right - left);
  return positions[wanted.k - 1] as number;
}
