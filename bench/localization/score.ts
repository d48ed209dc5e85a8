import { DEFAULT_CONFIG } from "../../server/core/localization/config.ts";
import { loadLabelledCases } from "./cases.ts";
import { ablate, collectCaseFindings, crossValidate, evaluate } from "./evaluation.ts";
import { parseOptions, requireOption } from "./options.ts";
import { printAblation, printCrossValidation, printReport, printStresses } from "./print.ts";
import { buildReport, scoreStresses } from "./report.ts";

const FOLDS = 5;
const REPEATS = 10;

/**
 * `npm run score:localization -- --cases DIR [--json] [--cross-validate] [--ablation] [--stress]`: accuracy per set and
 * macro beside baselines computed in the same run. With `--json` the last line printed is the whole report as one object.
 */
function main(): void {
  const options = parseOptions(process.argv.slice(2));
  const directory = requireOption(options, "cases");
  const cases = loadLabelledCases(directory);
  const report = buildReport(directory, cases);
  printReport(report);
  const extra: Record<string, unknown> = {};
  if (options.has("cross-validate") || options.has("ablation")) {
    const items = collectCaseFindings(cases);
    if (options.has("cross-validate")) {
      const result = crossValidate(items, DEFAULT_CONFIG, FOLDS, REPEATS);
      printCrossValidation(result);
      extra.crossValidation = result;
    }
    if (options.has("ablation")) {
      const result = ablate(items, DEFAULT_CONFIG);
      printAblation(evaluate(items, DEFAULT_CONFIG), result);
      extra.ablation = result;
    }
  }
  if (options.has("stress")) {
    const result = scoreStresses(cases);
    printStresses(result);
    extra.stress = result;
  }
  if (options.has("json")) console.log(JSON.stringify({ ...report, ...extra }));
}

main();
