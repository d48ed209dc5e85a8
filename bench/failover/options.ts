import { type FaultName, faultNames } from "../../demo/fault-names.ts";
import { portSpan } from "../../demo/topology.ts";
import { readCommand, readNames, readWhole } from "../../scripts/command-line.ts";
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
  --port N       first of the ${portSpan} ports it uses (default 7400)
  --folder DIR   keep data and logs there
  --versus A,B   patroni, repmgr: Debian's packages beside Holdfast, in network namespaces, under the same writer (root; --runs 3 and more)`;

/** Of this process' command line; what makes no sense ends it with a reason. */
export function readOptions(): BenchOptions {
  return readCommand(
    usage,
    {
      fault: { type: "string", default: "crash" },
      runs: { type: "string", default: "5" },
      blip: { type: "string", default: "800" },
      port: { type: "string", default: "7400" },
      folder: { type: "string" },
      versus: { type: "string", default: "" },
      json: { type: "boolean", default: false },
    },
    (values) => ({
      faults: values.fault === "all" ? faultNames : readNames("fault", values.fault, faultNames),
      runs: readWhole("--runs", values.runs, 1, 10_000),
      json: values.json,
      port: readWhole("--port", values.port, 1024, 65_000),
      blipMs: readWhole("--blip", values.blip, 1, 60_000),
      folder: values.folder ?? null,
      versus: readNames("product", values.versus, peerNames),
    }),
  );
}
