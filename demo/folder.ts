import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * Where the demo keeps its data: `.holdfast/demo` in the checkout. PostgreSQL refuses to run as root; when root's unprivileged stand-in can't
 * enter the checkout (a root home is 0700), a folder below the temporary directory that belongs to this checkout alone.
 */
export function chooseDataFolder(root: string): string {
  const inside = join(root, ".holdfast", "demo");
  if (process.getuid?.() !== 0 || isOpenToAll(root)) return inside;
  const name = createHash("sha256").update(root).digest("hex").slice(0, 12);
  return join(tmpdir(), `holdfast-demo-${name}`);
}

function isOpenToAll(path: string): boolean {
  if ((statSync(path).mode & 0o001) === 0) return false;
  const parent = dirname(path);
  return parent === path || isOpenToAll(parent);
}

/** Makes a folder that any user may pass through; what is inside is guarded by its own modes. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
}

/** A new folder below the system's temporary one, which PostgreSQL's unprivileged user can enter. */
export function makeTemporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(folder, 0o711);
  return folder;
}
