/** Escapes that PostgreSQL's JSON refuses: the zero character, and halves of surrogate pairs (JSON.stringify writes only lone ones so). */
const refusedEscape = /\\u(?:0000|d[89a-f])/i;

/**
 * JSON that the database always takes. Text from nodes is hostile: one bad character must not make every later commit fail.
 * Such characters become U+FFFD.
 */
export function toSafeJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!refusedEscape.test(text)) return text;
  return JSON.stringify(makeSafe(value));
}

function makeSafe(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\p{Surrogate}|\0/gu, "\uFFFD");
  if (Array.isArray(value)) return value.map(makeSafe);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [makeSafe(key), makeSafe(item)]));
}
