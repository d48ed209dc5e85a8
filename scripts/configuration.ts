/** Holds the tables of docs/configuration.md against the schemas. */

/** What JSON Schema says of one value; only what is looked at here. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

export interface Setting {
  /** `listen.port`, `checks[tcp].host` (an entry by its kind), `policy.causes.*.mode` (any key). */
  readonly path: string;
  readonly isRequired: boolean;
  readonly byDefault: unknown;
  /** What the column *Value* has to say: limits, and choices where they are few. */
  readonly words: readonly string[];
}

export interface Row {
  readonly value: string;
  readonly byDefault: string;
}

const mostChoices = 12;

/** Every setting of a file. Of alternatives each is listed. */
export function listSettings(schema: unknown): readonly Setting[] {
  const found = new Map<string, Setting>();
  for (const setting of walk(schema as Node, "", true)) {
    const before = found.get(setting.path);
    // Required in one alternative only, or the same in both.
    if (before === undefined || before.words.length === 0) found.set(setting.path, setting);
  }
  return [...found.values()];
}

function walk(node: Node, path: string, isRequired: boolean): Setting[] {
  const alternatives = node.anyOf ?? node.oneOf ?? [];
  const parts = alternatives.length > 0 ? alternatives : [node];
  const below = parts
    .flatMap((part) => walkInto(part, path))
    // What one of several alternatives needs, the setting as a whole does not.
    .map((setting) => (parts.length > 1 ? { ...setting, isRequired: false } : setting));
  const leaves = parts.filter((part) => childrenOf(part) === null);
  // A list of the file itself has a heading, one within an entry a row.
  const isList = node.type === "array" && node.default !== undefined && path.includes("[");
  if (leaves.length === 0 && !isList) return below;
  const own = {
    path,
    isRequired,
    byDefault: node.default,
    words: leaves.length === 0 ? limitsOf(node) : leaves.flatMap(limitsOf),
  };
  return [own, ...below];
}

function walkInto(part: Node, path: string): Setting[] {
  const inner = childrenOf(part);
  if (inner === null) return [];
  if (part.type === "array") return walkEntries(inner, path);
  if (part.properties === undefined) return walk(inner, `${path}.*`, true);
  return Object.entries(part.properties).flatMap(([key, child]) => {
    if (key === "kind") return [];
    return walk(child, path === "" ? key : `${path}.${key}`, part.required?.includes(key) === true);
  });
}

/** Entries of a list, told apart by their kind. */
function walkEntries(entry: Node, path: string): Setting[] {
  return (entry.oneOf ?? entry.anyOf ?? [entry]).flatMap((each) => {
    const kind = each.properties?.kind?.const;
    return walk(each, `${path}[${kind ?? ""}]`, true);
  });
}

/** The part that has keys of its own; null for a plain value. */
function childrenOf(node: Node): Node | null {
  if (node.properties !== undefined) return node;
  if (node.type === "array" && node.items !== undefined) return hasKeys(node.items) ? node.items : null;
  const { additionalProperties } = node;
  return typeof additionalProperties === "object" && hasKeys(additionalProperties) ? additionalProperties : null;
}

function hasKeys(node: Node): boolean {
  return node.properties !== undefined || [...(node.anyOf ?? []), ...(node.oneOf ?? [])].some(hasKeys);
}

function limitsOf(node: Node): string[] {
  const numbers = [node.minimum, node.maximum, node.maxLength, node.maxItems];
  const choices = node.const === undefined ? (node.enum ?? []) : [node.const];
  return [...numbers, ...(choices.length > mostChoices ? [] : choices)]
    .filter((limit) => limit !== undefined && Math.abs(Number(limit)) !== Number.MAX_SAFE_INTEGER)
    .map(String);
}

/** The tables below the heading that names the file, by the path of each setting. */
export function readRows(page: string, file: string): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  let isHere = false;
  let prefix = "";
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) isHere = line.startsWith(`## \`${file}\``);
    if (/^#{2,3} /.test(line)) prefix = line.startsWith("## ") ? "" : prefixOf(line);
    const cells = isHere && line.startsWith("| `") ? line.split("|").map((cell) => cell.trim()) : [];
    for (const [, key] of (cells[1] ?? "").matchAll(/`([^`]+)`/g)) {
      rows.set(`${prefix}${key}`, { value: cells[2] ?? "", byDefault: cells[3] ?? "" });
    }
  }
  return rows;
}

/** "### `checks[]` with `kind: tcp`" → `checks[tcp].` */
function prefixOf(heading: string): string {
  const [place = "", kind] = [...heading.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? "");
  return `${kind?.startsWith("kind: ") ? place.replace("[]", `[${kind.slice(6)}]`) : place}.`;
}

/** Sentences, one for each difference. What all kinds of a list share may stand once, below the list. */
export function findMistakes(settings: readonly Setting[], rows: ReadonlyMap<string, Row>): readonly string[] {
  const used = new Set<string>();
  const mistakes = settings.flatMap((setting) => {
    const { path } = setting;
    const shared = path.replace(/^(\w+)\[\w+\]/, "$1[]");
    const place = rows.has(path) ? path : shared;
    const row = rows.get(place);
    used.add(place);
    return row === undefined ? [`${path} is not on the page`] : compare(setting, row);
  });
  const unknown = [...rows.keys()].filter((path) => !used.has(path));
  return [...mistakes, ...unknown.map((path) => `${path} is on the page and in no schema`)];
}

function compare({ path, isRequired, byDefault, words }: Setting, row: Row): string[] {
  const expected = isRequired && byDefault === undefined ? "**required**" : describeDefault(byDefault);
  const isRight =
    expected === null ? row.byDefault !== "**required**" && row.byDefault !== "" : row.byDefault === expected;
  const missing = words.filter((word) => !new RegExp(`(?<![\\d.])${quote(word)}(?![\\d.]*\\d)`).test(row.value));
  return [
    ...(isRight ? [] : [`${path}: default ${row.byDefault}, really ${expected ?? "not required"}`]),
    ...missing.map((word) => `${path}: its value does not say ${word}`),
  ];
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Null: the page says in words what holds when it is left out. */
function describeDefault(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return `\`${value}\``;
  const entries = Array.isArray(value) ? value : Object.keys(value);
  return entries.length === 0 ? "none" : `\`[${entries.join(", ")}]\``;
}
