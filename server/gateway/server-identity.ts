import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** The server's signing key, as agents pin it. */
export interface ServerIdentity {
  /** Raw 32 bytes, base64url. */
  readonly publicKey: string;
  sign(text: string): string;
}

/** `privateKey`: PKCS #8 DER, base64url. */
export function createServerIdentity(pair: {
  readonly publicKey: string;
  readonly privateKey: string;
}): ServerIdentity {
  const key = createPrivateKey({ key: Buffer.from(pair.privateKey, "base64url"), format: "der", type: "pkcs8" });
  return { publicKey: pair.publicKey, sign: (text) => sign(null, Buffer.from(text), key).toString("base64url") };
}

/** Whether `signature` (base64url) over `text` was made with the key of `publicKey` (raw 32 bytes, base64url). Never throws. */
export function verifySignature(publicKey: string, text: string, signature: string): boolean {
  const key = readPublicKey(publicKey);
  if (key === null) return false;
  try {
    return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

/** Null when the text is not a raw Ed25519 public key in its one base64url form. */
export function readPublicKey(publicKey: string): KeyObject | null {
  const raw = Buffer.from(publicKey, "base64url");
  if (raw.length !== 32 || raw.toString("base64url") !== publicKey) return null;
  try {
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
  } catch {
    return null;
  }
}
