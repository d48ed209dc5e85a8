/**
 * The texts that are signed on the wire. Both ends must build them from the same code, byte for byte.
 */

/** Values that JSON can carry. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Canonical JSON: keys sorted by code unit, no spaces, members that are `undefined` left out (RFC 8785 for the values used here).
 * @throws TypeError on a value that JSON cannot carry.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

function sortKeys(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
    return value;
  }
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object") throw new TypeError(`a ${typeof value} has no JSON form`);
  const source = value as Readonly<Record<string, unknown>>;
  const sorted = Object.create(null) as Record<string, Json>;
  for (const key of Object.keys(source).sort()) {
    if (source[key] !== undefined) sorted[key] = sortKeys(source[key]);
  }
  return sorted;
}

/** What each side of the handshake signs. Keys and nonces in base64url. The role keeps a signature from being reflected. */
export function handshakeText(
  role: "agent" | "server",
  parts: {
    readonly agentNonce: string;
    readonly serverNonce: string;
    readonly agentKey: string;
    readonly serverKey: string;
  },
): string {
  return `holdfast/1|${role}|${parts.agentNonce}|${parts.serverNonce}|${parts.agentKey}|${parts.serverKey}`;
}
