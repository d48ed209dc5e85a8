/**
 * One text for one value: keys sorted, no spaces, as in RFC 8785 (JSON Canonicalization Scheme) for the values that occur here:
 * finite numbers, strings, booleans, null, arrays, plain objects. Properties that are `undefined` are left out.
 * @throws TypeError for anything else: what can't be written twice alike must not be signed.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError("a number that is not finite has no canonical form");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object") throw new TypeError(`a ${typeof value} has no canonical form`);
  const record = value as Record<string, unknown>;
  const parts = Object.keys(record)
    .filter((key) => record[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key])}`);
  return `{${parts.join(",")}}`;
}

/** What each side signs in the handshake: both nonces and both keys, and which side it is, so that nothing can be replayed or reflected. */
export function handshakeText(parts: {
  readonly role: "agent" | "server";
  readonly agentNonce: string;
  readonly serverNonce: string;
  readonly agentKey: string;
  readonly serverKey: string;
}): string {
  return `holdfast/1|${parts.role}|${parts.agentNonce}|${parts.serverNonce}|${parts.agentKey}|${parts.serverKey}`;
}
