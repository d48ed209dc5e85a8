/**
 * Delay before the next attempt: doubles from `firstMs` to `capMs`, spread evenly over its upper half so that a fleet does not come back in
 * step. `random` is in [0, 1).
 */
export function backoffMs(
  attempt: number,
  limits: { readonly firstMs: number; readonly capMs: number },
  random: number,
): number {
  const full = Math.min(limits.capMs, limits.firstMs * 2 ** Math.min(attempt, 20));
  return full / 2 + (full / 2) * random;
}
