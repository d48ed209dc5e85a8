import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** The master key of an installation: encrypts what the database must keep secret. */
export interface SecretKey {
  /** First eight hexadecimal digits of its SHA-256: tells which key sealed a value. */
  readonly id: string;
  readonly key: Buffer;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * The key from the environment (HOLDFAST_SECRET_KEY: 32 bytes as base64 or hexadecimal), else from a file that is made with mode 0600
 * at the first start.
 */
export async function loadSecretKey(file: string, environment: string | undefined): Promise<SecretKey> {
  if (environment !== undefined && environment !== "") {
    const key = decodeKey(environment);
    if (key !== null) return nameKey(key);
    throw new Error(
      "HOLDFAST_SECRET_KEY must be 32 bytes in base64 or hexadecimal, such as `openssl rand -base64 32` prints.",
    );
  }
  const known = (await readKeyFile(file)) ?? (await makeKeyFile(file));
  const key = decodeKey(known);
  if (key === null) throw new Error(`The key file ${file} is damaged. Restore it from your backup.`);
  return nameKey(key);
}

function decodeKey(text: string): Buffer | null {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, /^[0-9a-f]{64}$/i.test(trimmed) ? "hex" : "base64");
  return bytes.length === keyBytes ? bytes : null;
}

function nameKey(key: Buffer): SecretKey {
  return { id: createHash("sha256").update(key).digest("hex").slice(0, 8), key };
}

async function readKeyFile(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new Error(`Can't read the key file ${file}: ${error.message}`);
  });
}

/** Written beside and linked: the file is there whole or not at all, and the first of two starts wins. */
async function makeKeyFile(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const beside = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(beside, `${randomBytes(keyBytes).toString("base64")}\n`, { mode: 0o600 });
  try {
    await link(beside, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    return await readFile(file, "utf8");
  } finally {
    await rm(beside, { force: true });
  }
}

/** AES-256-GCM: nonce, tag and ciphertext, base64. `purpose` is authenticated: a sealed value can't stand in for another. */
export function sealSecret({ key }: SecretKey, purpose: string, plain: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** Throws when the value was changed, or sealed by another key or for another purpose. */
export function openSecret({ key }: SecretKey, purpose: string, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
  return plain.toString("utf8");
}
