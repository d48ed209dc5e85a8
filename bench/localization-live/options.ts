import { type ShopFaultName, shopFaultNames } from "../../demo/fault-names.ts";
import { portSpan } from "../../demo/topology.ts";
import { readCommand, readNames, readWhole } from "../../scripts/command-line.ts";

export interface LiveOptions {
  readonly faults: readonly ShopFaultName[];
  readonly runs: number;
  readonly json: boolean;
  readonly port: number;
  readonly folder: string | null;
}

const usage = `npm run bench:localization-live -- [--faults NAME,NAME] [--runs N] [--json]
  --faults NAMES ${shopFaultNames.join(", ")} (default: all of them)
  --runs N       injections of each fault (default 3)
  --port N       first of the ${portSpan} ports it uses (default 7500)
  --folder DIR   keep data and logs there`;

/** Of this process' command line; what makes no sense ends it with a reason. */
export function readOptions(): LiveOptions {
  return readCommand(
    usage,
    {
      faults: { type: "string", default: shopFaultNames.join(",") },
      runs: { type: "string", default: "3" },
      port: { type: "string", default: "7500" },
      folder: { type: "string" },
      json: { type: "boolean", default: false },
    },
    (values) => ({
      faults: readNames("fault", values.faults, shopFaultNames),
      runs: readWhole("--runs", values.runs, 1, 1_000),
      json: values.json,
      port: readWhole("--port", values.port, 1_024, 65_000),
      folder: values.folder ?? null,
    }),
  );
}
