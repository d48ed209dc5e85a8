// Remembers what a build step was made from, so that it runs again only when its inputs have changed or its output is gone.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ignored = new Set(["node_modules", ".next", "dist", "generated", ".holdfast"]);

/** Names, sizes and contents of all inputs in one hash. A path that does not exist counts as absent. */
export function hashInputs(root, inputs) {
  const hash = createHash("sha256").update(process.versions.node.split(".")[0]);
  for (const input of inputs) for (const file of listFiles(join(root, input))) addFile(hash, root, file);
  return hash.digest("hex");
}

function addFile(hash, root, file) {
  hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
}

function listFiles(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !ignored.has(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => listFiles(join(path, entry.name)));
}

function stampPath(root, step) {
  return join(root, "node_modules", ".cache", "holdfast", `${step}.stamp`);
}

/** True when the step was done from exactly these inputs and its outputs are still there. */
export function isFresh(root, step, hash, outputs) {
  const path = stampPath(root, step);
  if (!existsSync(path) || readFileSync(path, "utf8") !== hash) return false;
  return outputs.every((output) => existsSync(join(root, output)));
}

export function writeStamp(root, step, hash) {
  const path = stampPath(root, step);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, hash);
}
