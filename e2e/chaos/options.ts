import { parseArgs } from "node:util";
import { repository } from "../plain/cluster.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/list.ts";

export interface ChaosOptions {
  readonly scenarios: readonly Scenario[];
  readonly runs: number;
  readonly results: string | null;
  readonly json: boolean;
  readonly folder: string;
  readonly root: string;
  readonly postgres: "distribution" | "embedded";
  readonly keep: boolean;
}

const usage = `npm run chaos -- [--only a,b] [--runs N] [--results FILE] [--json]
  --only a,b       these scenarios (default: all; --list names them)
  --runs N         until each has this many results (default 3)
  --results FILE   append each run to this file, and go on where it ends
  --postgres P     distribution (Debian's PostgreSQL 15, default) or embedded (the one that comes with Holdfast)
  --folder DIR     where the installation lies (default /tmp/holdfast-chaos)
  --root DIR       the built Holdfast that is tried (default: this checkout)
  --keep           leave everything running at the end
  --list           name the scenarios`;

/** Null: everything was said. @throws Error with the usage when an argument makes no sense. */
export function readOptions(args: readonly string[]): ChaosOptions | null {
  const { values } = parseArgs({
    args: args.filter((argument) => argument !== "--"),
    options: {
      only: { type: "string" },
      runs: { type: "string", default: "3" },
      results: { type: "string" },
      postgres: { type: "string", default: "distribution" },
      folder: { type: "string", default: "/tmp/holdfast-chaos" },
      root: { type: "string", default: repository },
      keep: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.list || values.help) {
    console.log(values.help ? usage : listScenarios());
    return null;
  }
  const wanted = values.only?.split(",").filter(Boolean) ?? scenarios.map(({ name }) => name);
  const unknown = wanted.find((name) => !scenarios.some((each) => each.name === name));
  if (unknown !== undefined) throw new Error(`There is no scenario ${unknown}; --list names them.\n${usage}`);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs}: give a whole number.\n${usage}`);
  if (values.postgres !== "distribution" && values.postgres !== "embedded") {
    throw new Error(`--postgres ${values.postgres}: distribution or embedded.\n${usage}`);
  }
  return {
    scenarios: scenarios.filter(({ name }) => wanted.includes(name)),
    runs,
    results: values.results ?? null,
    json: values.json,
    folder: values.folder,
    root: values.root,
    postgres: values.postgres,
    keep: values.keep,
  };
}

function listScenarios(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, says }) => `${name.padEnd(width)}  ${says}`).join("\n");
}
