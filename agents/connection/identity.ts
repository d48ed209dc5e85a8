import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { join } from "node:path";
import * as z from "zod/mini";
import { readIfPresent, writeDurably } from "../shared/durable-file.ts";

/** The agent's own key, and the server's once it is pinned. Kept in one file of the state directory, readable by the agent only. */
export interface Identity {
  readonly privateKey: KeyObject;
  /** Raw 32 bytes, base64url. */
  readonly publicKey: string;
  readonly serverKey: string | null;
  /** True once the server welcomed this key: from then on no enrolment token is sent. */
  readonly enrolled: boolean;
}

const fileSchema = z.object({ privateKey: z.string(), serverKey: z.nullable(z.string()), enrolled: z.boolean() });

/** Reads the identity, or makes one. @throws Error when the file is damaged. */
export async function openIdentity(stateDir: string): Promise<Identity> {
  const path = identityPath(stateDir);
  const text = await readIfPresent(path);
  if (text !== null) {
    try {
      const file = z.parse(fileSchema, JSON.parse(text));
      const privateKey = createPrivateKey(file.privateKey);
      return { privateKey, publicKey: rawPublicKey(privateKey), serverKey: file.serverKey, enrolled: file.enrolled };
    } catch (error) {
      throw new Error(
        `${path} is damaged: ${error instanceof Error ? error.message : String(error)}. Remove it and enrol this node again.`,
      );
    }
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  const identity: Identity = { privateKey, publicKey: rawPublicKey(privateKey), serverKey: null, enrolled: false };
  await saveIdentity(stateDir, identity);
  return identity;
}

export async function saveIdentity(stateDir: string, identity: Identity): Promise<void> {
  const privateKey = identity.privateKey.export({ type: "pkcs8", format: "pem" });
  const content = { privateKey, serverKey: identity.serverKey, enrolled: identity.enrolled };
  await writeDurably(identityPath(stateDir), JSON.stringify(content), { mode: 0o600 });
}

function identityPath(stateDir: string): string {
  return join(stateDir, "identity.json");
}

/** Ed25519 over UTF-8 text; base64url. */
export function signText(privateKey: KeyObject, text: string): string {
  return sign(null, Buffer.from(text, "utf8"), privateKey).toString("base64url");
}

/** False for a bad signature and for a key that is none. `key`: raw 32 bytes, base64url. */
export function verifyText(key: string, text: string, signature: string): boolean {
  try {
    return verify(null, Buffer.from(text, "utf8"), importPublicKey(key), Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

function importPublicKey(key: string): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
}

function rawPublicKey(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ format: "jwk" }).x ?? "";
}
