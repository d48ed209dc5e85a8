import { readCommand } from "../../scripts/command-line.ts";
import { DEFAULT_CONFIG } from "../../server/core/localization/config.ts";
import { loadLabelledCases } from "./cases.ts";
import { ablate, collectCaseFindings, crossValidate, evaluate } from "./evaluation.ts";
import { requireDirectory } from "./options.ts";
import { printAblation, printCrossValidation, printReport, printStresses } from "./print.ts";
import { buildReport, scoreStresses } from "./report.ts";

const FOLDS = 5;
const REPEATS = 10;

const usage = `npm run score:localization -- --cases DIR [--json] [--cross-validate] [--ablation] [--stress]
  --cases DIR        a folder with index.json and the labelled cases that it names
  --cross-validate   the figures of weights that were fitted without the cases they are measured on
  --ablation         what each kind of evidence contributes
  --stress           the same cases with the fault told late, and with less evidence
  --json             the last line is one object`;

/**
 * `npm run score:localization -- --cases DIR [--json] [--cross-validate] [--ablation] [--stress]`: accuracy per set and
 * macro beside baselines computed in the same run. With `--json` the last line printed is the whole report as one object.
 */
function main(): void {
  const options = readCommand(
    usage,
    {
      cases: { type: "string" },
      "cross-validate": { type: "boolean", default: false },
      ablation: { type: "boolean", default: false },
      stress: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
    (values) => ({ ...values, directory: requireDirectory(values.cases) }),
  );
  const { directory } = options;
  const cases = loadLabelledCases(directory);
  const report = buildReport(directory, cases);
  printReport(report);
  const extra: Record<string, unknown> = {};
  if (options["cross-validate"] || options.ablation) {
    const items = collectCaseFindings(cases);
    if (options["cross-validate"]) {
      const result = crossValidate(items, DEFAULT_CONFIG, FOLDS, REPEATS);
      printCrossValidation(result);
      extra.crossValidation = result;
    }
    if (options.ablation) {
      const result = ablate(items, DEFAULT_CONFIG);
      printAblation(evaluate(items, DEFAULT_CONFIG), result);
      extra.ablation = result;
    }
  }
  if (options.stress) {
    const result = scoreStresses(cases);
    printStresses(result);
    extra.stress = result;
  }
  if (options.json) console.log(JSON.stringify({ ...report, ...extra }));
}

main();
