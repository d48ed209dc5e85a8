import type { SourceFile } from "./source-scan.ts";

/**
 * Who may import whom, as docs/architecture.md tells it. `rooms` are the rooms of the checkout that a room may use besides itself; `packages` its
 * packages (`any`: no limit). Tests are free, except those of the core: a contract suite has to know both sides.
 */
interface RoomRule {
  readonly room: string;
  readonly rooms: readonly string[];
  readonly packages: "any" | readonly string[];
}

const adapters = ["store", "locks", "gateway", "auth", "notify", "observe"].map((name) => ({
  room: `server/${name}`,
  rooms: ["server/ports", "server/core", "server/protocol"],
  packages: "any" as const,
}));

/** The first rule whose room holds the file applies. */
export const roomRules: readonly RoomRule[] = [
  { room: "server/core", rooms: [], packages: [] },
  { room: "server/protocol", rooms: ["server/core"], packages: ["zod"] },
  { room: "server/ports", rooms: ["server/core", "server/protocol"], packages: [] },
  ...adapters,
  { room: "server/runtime", rooms: ["server/core", "server/ports", "server/protocol"], packages: "any" },
  {
    room: "server/http",
    rooms: ["server/ports", "server/core", "server/protocol", "server/auth"],
    packages: "any",
  },
  {
    room: "server/sim",
    rooms: [
      "server/core",
      "server/ports",
      "server/protocol",
      "server/runtime",
      "server/store/memory",
      "agents",
      "scripts/command-line",
    ],
    packages: "any",
  },
  { room: "clients", rooms: [], packages: ["node:crypto", "node:timers"] },
  { room: "agents", rooms: ["server/protocol", "server/core"], packages: "any" },
  { room: "app", rooms: ["components", "messages"], packages: "any" },
  { room: "components", rooms: ["server/protocol", "server/core", "messages"], packages: "any" },
];

/** Sentences, one for each forbidden import. */
export function checkImports(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => [...checkRoom(file), ...checkEveryFile(file)]);
}

function checkRoom(file: SourceFile): readonly string[] {
  const rule = roomRules.find(({ room }) => isInside(file.path, room));
  if (rule === undefined || (isTest(file.path) && rule.room !== "server/core")) return [];
  return file.imports.flatMap((target) => {
    if (isPath(target)) {
      const allowed = [rule.room, ...rule.rooms].some((room) => isInside(target, room));
      return allowed ? [] : [`${file.path} imports ${target}: ${rule.room} may use only ${describeRule(rule)}.`];
    }
    if (rule.packages === "any" || (isTest(file.path) && testPackages.has(packageName(target)))) return [];
    const allowed = rule.packages.includes(packageName(target));
    return allowed ? [] : [`${file.path} imports the package ${target}: ${rule.room} may not.`];
  });
}

const testPackages = new Set(["vitest", "fast-check", "node:fs", "node:path", "node:url"]);

function checkEveryFile(file: SourceFile): readonly string[] {
  return file.imports.flatMap((target) => {
    const problems: string[] = [];
    const generated = target.includes("store/generated") || target.startsWith("@prisma/client");
    if (generated && !isInside(file.path, "server/store")) {
      problems.push(`${file.path} imports ${target}: the generated database client is used only in server/store.`);
    }
    if (/^server\/main(?:\.ts)?$/.test(target) && !isTest(file.path)) {
      problems.push(`${file.path} imports ${target}: nothing imports the composition root.`);
    }
    return problems;
  });
}

function describeRule(rule: RoomRule): string {
  return rule.rooms.length === 0 ? "itself" : `itself, ${rule.rooms.join(", ")}`;
}

function isInside(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`) || path.startsWith(`${room}.`);
}

function isPath(target: string): boolean {
  return /^(?:agents|app|bench|cli|clients|components|demo|e2e|messages|prisma|scripts|server)(?:\/|$)/.test(target);
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.includes("/testing/");
}

function packageName(specifier: string): string {
  return specifier.startsWith("node:")
    ? specifier
    : specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/");
}

/** What makes a function depend on anything but its arguments. */
const impurities: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)/, "reads the clock"],
  [/\bMath\.random\b|\bcrypto\b/, "uses randomness"],
  [/\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, "uses a timer"],
  [/\bperformance\b/, "reads the clock"],
  [/\bconsole\b/, "prints"],
  [/\bfetch\s*\(/, "uses the network"],
  [/\bprocess\s*[.[]/, "looks at the process"],
  [/\basync\b|\bawait\b|\bPromise\b/, "is asynchronous"],
  [/\bglobalThis\b/, "reaches for globals"],
];

/** The core judges from data alone. */
export function checkPurity(files: readonly SourceFile[]): readonly string[] {
  const core = files.filter((file) => isInside(file.path, "server/core") && !isTest(file.path));
  return core.flatMap((file) =>
    file.code
      .split("\n")
      .flatMap((line, index) =>
        impurities
          .filter(([pattern]) => pattern.test(line))
          .map(([, what]) => `${file.path}:${index + 1} ${what}: the core may not. ${line.trim()}`),
      ),
  );
}

const maxLines = 400;

/** House rules that a reader would otherwise have to watch for; `any` is the linter's. */
export function checkStyle(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const problems: string[] = [];
    const lines = file.text.split("\n").length;
    if (lines > maxLines) problems.push(`${file.path} has ${lines} lines; split it (at most ${maxLines}).`);
    if (/@ts-(?:ignore|expect-error|nocheck)/.test(file.text) && !file.path.startsWith("scripts/")) {
      problems.push(`${file.path} switches the type check off.`);
    }
    // Only the colors of tokens.css exist: any other class is silently nothing, which was dark words on a dark button.
    const foreign = /\b(?:text|bg|border|ring|fill|stroke)-(?:white|black|[a-z]+-[1-9]\d{1,2})\b/.exec(file.text)?.[0];
    if (foreign !== undefined && file.path.endsWith(".tsx")) {
      problems.push(`${file.path} uses ${foreign}, which is none of the colors in components/ui/tokens.css.`);
    }
    const name = file.path.split("/").at(-1) as string;
    if (!/^(?:\[[a-zA-Z.]+\]|[a-z0-9]+(?:-[a-z0-9]+)*)(?:\.[a-z0-9-]+)*$/.test(name)) {
      problems.push(`${file.path} is not named in kebab-case.`);
    }
    return problems;
  });
}
