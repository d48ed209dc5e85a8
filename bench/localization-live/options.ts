import { parseArgs } from "node:util";
import { isShopFaultName, type ShopFaultName, shopFaultNames } from "../../demo/fault-names.ts";

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
  --port N       first of the 85 ports it uses (default 7500)
  --folder DIR   keep data and logs there`;

/** @throws Error with the usage when an argument makes no sense. */
export function readOptions(args: readonly string[]): LiveOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      faults: { type: "string", default: shopFaultNames.join(",") },
      runs: { type: "string", default: "3" },
      port: { type: "string", default: "7500" },
      folder: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const faults = values.faults.split(",");
  const unknown = faults.find((name) => !isShopFaultName(name));
  if (unknown !== undefined) throw new Error(`There is no fault ${unknown}.\n${usage}`);
  return {
    faults: faults as ShopFaultName[],
    runs: readWhole("--runs", values.runs, 1, 1_000),
    json: values.json,
    port: readWhole("--port", values.port, 1_024, 65_000),
    folder: values.folder ?? null,
  };
}

function readWhole(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new Error(`${name} ${text}: give a whole number from ${from} to ${to}.\n${usage}`);
}
