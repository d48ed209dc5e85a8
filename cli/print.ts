import { cleanText } from "../server/protocol/clean-text.ts";

/** Prints `value` as one line of JSON, or what `lines` makes of it for a person. */
export function print(json: boolean, value: unknown, lines: () => readonly string[]): void {
  if (json) console.log(JSON.stringify(value));
  else for (const line of lines()) console.log(line);
}

/** Columns as wide as their content; texts from nodes can't move the cursor or recolour the terminal. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cleaned = rows.map((row) => row.map((cell) => cleanText(cell, 120).replaceAll("\n", " ")));
  const widths = head.map((title, i) => Math.max(title.length, ...cleaned.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head.map((title) => title.toUpperCase())), ...cleaned.map(line)];
}

export function formatAgo(at: number | null, nowMs: number): string {
  if (at === null) return "never";
  const seconds = Math.max(0, Math.round((nowMs - at) / 1_000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

export function formatBytes(bytes: number | null): string {
  if (bytes === null) return "–";
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function formatInstant(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** `wal-stream-ended` → `wal stream ended (lagBytes 12)`. */
export function formatCode(code: string, data: Readonly<Record<string, unknown>> = {}): string {
  const values = Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${String(value)}`);
  const words = code.replaceAll("-", " ");
  return cleanText(values.length === 0 ? words : `${words} (${values.join(", ")})`, 300);
}
