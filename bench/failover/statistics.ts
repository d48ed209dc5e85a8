/** Middle value; the mean of the two middle ones for an even count; null for none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Nearest-rank percentile, `share` from 0 to 1; null for none. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

/** Lines of a table with columns as wide as their widest cell; numbers to the right. */
export function formatTable(rows: readonly (readonly (string | number | null)[])[]): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? "–" : String(cell))));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row, line) =>
    row
      .map((cell, column) => {
        const right = typeof (rows[Math.max(line, 1)] ?? [])[column] !== "string";
        return right ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number);
      })
      .join("  ")
      .trimEnd(),
  );
}
