/**
 * The resource's side of a fencing token: the highest token that was seen, for each lock. An older one is refused, so a holder that was
 * paused beyond its lease can do no harm when it wakes up (Kleppmann, "How to do distributed locking", 2016).
 */
export function admitToken(
  highest: number | null,
  token: number,
): { readonly admitted: boolean; readonly highest: number } {
  if (highest !== null && token < highest) return { admitted: false, highest };
  return { admitted: true, highest: token };
}
