import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export interface SourceFile {
  /** Path within the checkout, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments, and the contents of string literals, blanked out. Lines keep their numbers. */
  readonly code: string;
  /** What it imports: a path within the checkout, or a package's name. */
  readonly imports: readonly string[];
}

const rooms = ["agents", "app", "bench", "cli", "components", "demo", "e2e", "prisma", "scripts", "server"];
const skipped = new Set(["node_modules", "generated", ".next", "dist"]);

/** Every TypeScript and JavaScript file of the project's own. */
export function readSources(root: string): readonly SourceFile[] {
  return rooms.flatMap((room) => listFiles(join(root, room))).map((file) => readSource(root, file));
}

function listFiles(folder: string): readonly string[] {
  let entries: import("node:fs").Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : listFiles(path);
    return /\.(?:ts|tsx|js|mjs)$/.test(entry.name) ? [path] : [];
  });
}

function readSource(root: string, file: string): SourceFile {
  const text = readFileSync(file, "utf8");
  const path = relative(root, file).replaceAll("\\", "/");
  const imports = listImports(text).map((specifier) => resolveSpecifier(root, file, specifier));
  return { path, text, code: blankLiterals(text), imports };
}

/** Module specifiers of static and dynamic imports and re-exports, type-only ones included. */
export function listImports(text: string): readonly string[] {
  const withoutComments = blank(text, /\/\*[\s\S]*?\*\/|(?<![:"'`\\])\/\/[^\n]*/g);
  const patterns = [
    /^\s*(?:import|export)\s[^"';]*?\sfrom\s*["']([^"']+)["']/gm,
    /^\s*import\s*["']([^"']+)["']/gm,
    /\bimport\s*\(\s*["']([^"']+)["']\s*\)/g,
  ];
  return patterns.flatMap((pattern) => [...withoutComments.matchAll(pattern)].map((match) => match[1] as string));
}

function resolveSpecifier(root: string, file: string, specifier: string): string {
  if (specifier.startsWith("@/")) return specifier.slice(2);
  if (!specifier.startsWith(".")) return specifier;
  return relative(root, resolve(dirname(file), specifier)).replaceAll("\\", "/");
}

function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (found) => found.replace(/[^\n]/g, " "));
}

/** One pass over comments and quoted strings, so that neither hides the other. Template literals stay: they hold code. */
export function blankLiterals(text: string): string {
  return blank(text, /\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?<!:)\/\/[^\n]*/g);
}
