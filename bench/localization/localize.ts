import { writeFileSync } from "node:fs";
import { localize } from "../../server/core/localization/localize.ts";
import { toWindow } from "./case-file.ts";
import { loadCases } from "./cases.ts";
import { parseOptions, requireOption } from "./options.ts";

const WARM_UP = 5;

/**
 * `npm run localize -- --cases DIR --out FILE`: ranks the suspects of every case in DIR/index.json and writes
 * `{<case_id>: {ranking, ms}}`. Labels are not read; `ms` is the time from parsed JSON to ranking.
 */
function main(): void {
  const options = parseOptions(process.argv.slice(2));
  const directory = requireOption(options, "cases");
  const out = requireOption(options, "out");
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
