import { parseArgs } from "node:util";
import { type FaultName, faultNames, isFaultName } from "../../demo/fault-names.ts";
import { type PeerName, peerNames } from "../versus/names.ts";

export interface BenchOptions {
  readonly faults: readonly FaultName[];
  readonly runs: number;
  readonly json: boolean;
  readonly port: number;
  readonly blipMs: number;
  /** Where trial data goes; null: a folder of the system's temporary directory, removed afterwards. */
  readonly folder: string | null;
  /** Other products that go through the same faults; empty: Holdfast alone, on the demo cluster. */
  readonly versus: readonly PeerName[];
}

const usage = `npm run bench:failover -- --fault NAME [--runs N] [--json]
  --fault NAME   ${faultNames.join(", ")}; or all
  --runs N       failovers of each fault (default 5)
  --blip MS      length of a blip (default 800)
  --port N       first of the 55 ports it uses (default 7400)
  --folder DIR   keep data and logs there
  --versus A,B   patroni, repmgr: Debian's packages beside Holdfast, in network namespaces, under the same writer (root; --runs 3 and more)`;

/** @throws Error with the usage when an argument makes no sense. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fault: { type: "string", default: "crash" },
      runs: { type: "string", default: "5" },
      blip: { type: "string", default: "800" },
      port: { type: "string", default: "7400" },
      folder: { type: "string" },
      versus: { type: "string", default: "" },
      json: { type: "boolean", default: false },
    },
  });
  const faults = values.fault === "all" ? faultNames : values.fault.split(",");
  const unknown = faults.find((name) => !isFaultName(name));
  if (unknown !== undefined) throw new Error(`There is no fault ${unknown}.\n${usage}`);
  return {
    faults: faults as readonly FaultName[],
    runs: readWhole("--runs", values.runs, 1, 10_000),
    json: values.json,
    port: readWhole("--port", values.port, 1024, 65_000),
    blipMs: readWhole("--blip", values.blip, 1, 60_000),
    folder: values.folder ?? null,
    versus: readPeers(values.versus),
  };
}

function readPeers(text: string): readonly PeerName[] {
  const names = text.split(",").filter(Boolean);
  const unknown = names.find((name) => !peerNames.some((known) => known === name));
  if (unknown !== undefined)
    throw new Error(`There is no product ${unknown}; there are ${peerNames.join(", ")}.\n${usage}`);
  return peerNames.filter((name) => names.includes(name));
}

function readWhole(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new Error(`${name} ${text}: give a whole number from ${from} to ${to}.\n${usage}`);
}
