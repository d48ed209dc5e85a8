/** Text of PostgreSQL's configuration files. */

/** A value as `postgresql.conf` wants it: single quotes, doubled inside. */
export function quoteValue(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** A value inside a libpq connection string. */
export function quoteConnInfo(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** An SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An SQL string literal (with `standard_conforming_strings` on, the default). */
export function quoteLiteral(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * Replaces settings in the text of `postgresql.auto.conf`: lines of these settings go, the given values are appended, everything else
 * stays. `null` removes a setting.
 */
export function replaceSettings(text: string, settings: Readonly<Record<string, string | null>>): string {
  const owned = new Set(Object.keys(settings).map((name) => name.toLowerCase()));
  const kept = text.split("\n").filter((line) => {
    const name = /^\s*([A-Za-z_][A-Za-z0-9_.]*)/.exec(line)?.[1];
    return line.trim() !== "" && (name === undefined || !owned.has(name.toLowerCase()));
  });
  const added = Object.entries(settings).flatMap(([name, value]) =>
    value === null ? [] : [`${name} = ${quoteValue(value)}`],
  );
  return `${[...kept, ...added].join("\n")}\n`;
}
