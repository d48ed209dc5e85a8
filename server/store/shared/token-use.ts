/** The last use is noted to the minute, so that a busy token does not cost a write each time. */
export const tokenUseGranularityMs = 60_000;

export function lastUseNoted(lastUsedAt: number | null, now: number): number {
  return lastUsedAt !== null && now - lastUsedAt < tokenUseGranularityMs ? lastUsedAt : now;
}
