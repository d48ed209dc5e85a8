import { readCommand, readNames, readWhole } from "../../scripts/command-line.ts";
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

/** Of this process' command line; what makes no sense ends it with a reason. Null: everything was said. */
export function readOptions(): ChaosOptions | null {
  return readCommand(
    usage,
    {
      only: { type: "string" },
      runs: { type: "string", default: "3" },
      results: { type: "string" },
      postgres: { type: "string", default: "distribution" },
      folder: { type: "string", default: "/tmp/holdfast-chaos" },
      root: { type: "string", default: repository },
      keep: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
    },
    (values) => {
      if (values.list) {
        console.log(listScenarios());
        return null;
      }
      const names = scenarios.map(({ name }) => name);
      const wanted = values.only === undefined ? names : readNames("scenario", values.only, names);
      const { postgres } = values;
      if (postgres !== "distribution" && postgres !== "embedded") {
        throw new Error(`--postgres ${postgres}: distribution or embedded.`);
      }
      return {
        scenarios: scenarios.filter(({ name }) => wanted.includes(name)),
        runs: readWhole("--runs", values.runs, 1, 10_000),
        results: values.results ?? null,
        json: values.json,
        folder: values.folder,
        root: values.root,
        postgres,
        keep: values.keep,
      };
    },
  );
}

function listScenarios(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, says }) => `${name.padEnd(width)}  ${says}`).join("\n");
}
