import { writeFileSync } from "node:fs";
import { readCommand } from "../../scripts/command-line.ts";
import { localize } from "../../server/core/localization/localize.ts";
import { toWindow } from "./case-file.ts";
import { loadCases } from "./cases.ts";
import { requireDirectory } from "./options.ts";

const WARM_UP = 5;

const usage = `npm run localize -- --cases DIR --out FILE
  --cases DIR   a folder with index.json and the cases that it names
  --out FILE    the rankings, by case`;

/**
 * `npm run localize -- --cases DIR --out FILE`: ranks the suspects of every case in DIR/index.json and writes
 * `{<case_id>: {ranking, ms}}`. Labels are not read; `ms` is the time from parsed JSON to ranking.
 */
function main(): void {
  const { directory, out } = readCommand(usage, { cases: { type: "string" }, out: { type: "string" } }, (values) => {
    if (values.out === undefined || values.out === "") throw new Error("--out FILE is required.");
    return { directory: requireDirectory(values.cases), out: values.out };
  });
  const results: Record<string, unknown> = {};
  for (const { entry, raw, normal } of loadCases(directory)) {
    // Compiling the code is no part of a long-lived process' answer time: the first few cases warm it up.
    if (Object.keys(results).length < WARM_UP) localize(toWindow(raw, normal));
    const start = performance.now();
    const ranking = localize(toWindow(raw, normal));
    results[entry.case_id] = { ranking, ms: performance.now() - start };
  }
  writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`);
  console.log(`${Object.keys(results).length} cases ranked into ${out}`);
}

main();
