import { generateKeyPairSync } from "node:crypto";

export interface ServerKey {
  /** Raw 32 bytes, base64url. */
  readonly publicKey: string;
  /** PKCS #8 DER, base64url. */
  readonly privateKey: string;
}

/** A DER SubjectPublicKeyInfo of Ed25519 is a fixed prefix of 12 bytes and the key (RFC 8410, section 4). */
const spkiPrefixLength = 12;

export function generateServerKey(): ServerKey {
  const pair = generateKeyPairSync("ed25519");
  const spki = pair.publicKey.export({ type: "spki", format: "der" });
  const pkcs8 = pair.privateKey.export({ type: "pkcs8", format: "der" });
  return {
    publicKey: spki.subarray(spkiPrefixLength).toString("base64url"),
    privateKey: pkcs8.toString("base64url"),
  };
}
