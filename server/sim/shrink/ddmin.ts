/**
 * Delta debugging's minimizing algorithm: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE Transactions
 * on Software Engineering 28(2), 2002, section 3.2 (`ddmin`). Takes a list that fails and answers with a part of it, in the same
 * order, that fails as well and of which nothing single can be left out (1-minimal), as long as the test answers the same every time.
 */
export async function ddmin<T>(
  items: readonly T[],
  stillFails: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (items.length === 0 || (await stillFails([]))) return [];
  let current = items;
  let parts = 2;
  while (current.length > 1) {
    const chunks = split(current, parts);
    const chunk = await findFailing(chunks, stillFails);
    if (chunk !== undefined) {
      current = chunk;
      parts = 2;
      continue;
    }
    // Of two halves each is the other's complement.
    const complements = parts > 2 ? chunks.map((_, left) => chunks.filter((_, index) => index !== left).flat()) : [];
    const rest = await findFailing(complements, stillFails);
    if (rest !== undefined) {
      current = rest;
      parts = Math.max(parts - 1, 2);
    } else if (parts < current.length) parts = Math.min(current.length, parts * 2);
    else break;
  }
  return current;
}

/** `count` runs of nearly the same length; `count` is at most the length. */
function split<T>(items: readonly T[], count: number): (readonly T[])[] {
  const at = (index: number): number => Math.floor((index * items.length) / count);
  return Array.from({ length: count }, (_, index) => items.slice(at(index), at(index + 1)));
}

async function findFailing<T>(
  candidates: readonly (readonly T[])[],
  stillFails: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
  for (const candidate of candidates) if (await stillFails(candidate)) return candidate;
  return undefined;
}
