import { existsSync } from "node:fs";
import { join } from "node:path";

/** @throws Error that names the option. */
export function requireDirectory(value: string | undefined): string {
  if (value === undefined || value === "") throw new Error("--cases DIR is required: a folder with an index.json.");
  if (!existsSync(join(value, "index.json"))) throw new Error(`There is no index.json in ${value}.`);
  return value;
}
