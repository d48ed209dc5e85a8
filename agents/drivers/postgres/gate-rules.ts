import { quoteIdentifier } from "./conf-text.ts";

/** What `pg_hba.conf` says while users are kept out. Pure. Source of the format: PostgreSQL, "The pg_hba.conf File". */

interface Field {
  readonly start: number;
  readonly end: number;
  /** Comma-separated items; a quoted one loses any special meaning. */
  readonly items: readonly { readonly text: string; readonly quoted: boolean }[];
}

/**
 * The operator's own rules, narrowed to the Holdfast user and to replication, in their order; then nobody else. A rule lets in how it did
 * before, and whom it did before, never more. Null when no rule lets the Holdfast user in over TCP: then nothing could reach this server.
 */
export function closeRules(rules: string, user: string): string | null {
  const kept = logicalLines(rules).flatMap((line) => narrowRule(line, user));
  if (!kept.some((line) => /^host/.test(line) && !/\sreject(\s|$)/.test(line))) return null;
  return [...kept, "local all all reject", "host all all all reject", "host replication all all reject", ""].join("\n");
}

/** Lines without comments; one that ends with a backslash goes on in the next. */
function logicalLines(text: string): readonly string[] {
  return text.replaceAll(/\\\r?\n/g, " ").split(/\r?\n/);
}

function narrowRule(line: string, user: string): readonly string[] {
  const fields = fieldsOf(line);
  const [type, database, who] = fields;
  if (type === undefined || database === undefined || who === undefined || fields.length < 4) return [];
  if (!/^(local|host(no)?(ssl|gssenc)?)$/.test(type.items[0]?.text ?? "")) return [];
  const rule = line.slice(type.start, fields.at(-1)?.end);
  const isReplication = database.items.length === 1 && isKeyword(database.items[0], "replication");
  if (isReplication) return [rule];
  if (!who.items.some((item) => matchesUser(item, user))) return [];
  return [`${line.slice(type.start, who.start)}${quoteIdentifier(user)}${line.slice(who.end, fields.at(-1)?.end)}`];
}

function isKeyword(item: Field["items"][number] | undefined, keyword: string): boolean {
  return item !== undefined && !item.quoted && item.text === keyword;
}

/** Roles that are members of a group (`+group`) and names in files (`@file`) can't be known here; such a rule is left out. */
function matchesUser(item: Field["items"][number], user: string): boolean {
  if (isKeyword(item, "all")) return true;
  if (!item.quoted && /^[+@]/.test(item.text)) return false;
  if (!item.text.startsWith("/") || item.quoted) return item.text === user;
  try {
    return new RegExp(item.text.slice(1)).test(user);
  } catch {
    return false;
  }
}

/** Fields with their places in the line; a comment ends it. Spaces around the commas of a list belong to it. */
function fieldsOf(line: string): readonly Field[] {
  const fields: Field[] = [];
  const pattern = /\s*(#.*$|(?:"(?:[^"]|"")*"|[^\s,"#])+(?:,\s*(?:"(?:[^"]|"")*"|[^\s,"#])+)*)/y;
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
    const text = match[1] ?? "";
    if (text.startsWith("#")) break;
    fields.push({ start: pattern.lastIndex - text.length, end: pattern.lastIndex, items: itemsOf(text) });
  }
  return fields;
}

function itemsOf(text: string): Field["items"] {
  return [...text.matchAll(/(?:"(?:[^"]|"")*"|[^\s,"])+/g)].map(([item]) => ({
    text: item.replaceAll(/"((?:[^"]|"")*)"/g, (_all, inner: string) => inner.replaceAll('""', '"')),
    quoted: item.startsWith('"'),
  }));
}
