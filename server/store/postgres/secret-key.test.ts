import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadSecretKey, openSecret, sealSecret } from "./secret-key.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-key-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the master key", () => {
  it("is made once, closed to others, and read again; two first starts agree", async () => {
    const file = join(folder, "data", "secret.key");
    const keys = await Promise.all([loadSecretKey(file, undefined), loadSecretKey(file, undefined)]);
    expect(keys[0]).toEqual(keys[1]);
    expect(await loadSecretKey(file, "")).toEqual(keys[0]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "data"))).toEqual(["secret.key"]);
  });

  it("comes from the environment as base64 or hexadecimal, and from nothing else", async () => {
    const bytes = Buffer.alloc(32, 7);
    const file = join(folder, "unused.key");
    expect((await loadSecretKey(file, bytes.toString("hex"))).key).toEqual(bytes);
    expect((await loadSecretKey(file, bytes.toString("base64"))).key).toEqual(bytes);
    await expect(loadSecretKey(file, "a password")).rejects.toThrow(/must be 32 bytes/);
    await expect(stat(file)).rejects.toThrow();
  });

  it("is refused when its file is damaged: a new one would lose what the old one sealed", async () => {
    const file = join(folder, "damaged.key");
    await writeFile(file, "");
    await expect(loadSecretKey(file, undefined)).rejects.toThrow(/is damaged/);
  });
});

describe("a sealed secret", () => {
  const key = { id: "k1", key: Buffer.alloc(32, 1) };

  it("opens with its key and purpose only, and not when a bit was changed", () => {
    const sealed = sealSecret(key, "purpose", "text");
    expect(sealSecret(key, "purpose", "text")).not.toBe(sealed);
    expect(openSecret(key, "purpose", sealed)).toBe("text");
    expect(() => openSecret(key, "other", sealed)).toThrow();
    expect(() => openSecret({ id: "k1", key: Buffer.alloc(32, 2) }, "purpose", sealed)).toThrow();
    const bytes = Buffer.from(sealed, "base64");
    for (const at of [0, 12, 28]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => openSecret(key, "purpose", changed.toString("base64"))).toThrow();
    }
  });
});
