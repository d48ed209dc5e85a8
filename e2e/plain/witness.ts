// Runs on the client's host: `witness.ts CONFIG.json`. One connection pinned to each node writes a numbered row every 10 ms whenever that node
// takes writes; each acknowledgement is a line on standard output.
import { readFileSync } from "node:fs";
import { machineMs } from "../../demo/clock.ts";
import { Lane, type LaneEndpoint } from "../../demo/writer/lane.ts";

interface WitnessConfig {
  readonly endpoints: readonly LaneEndpoint[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly table: string;
}

const intervalMs = 10;
const reconnectMs = 100;
/** A statement without an answer for this long is given up: its outcome is unknown. */
const giveUpMs = 3_000;

const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as WitnessConfig;
let next = Date.now() * 10;

function tell(kind: "a" | "e", ...parts: readonly (string | number)[]): void {
  process.stdout.write(`${kind} ${parts.join(" ")}\n`);
}

for (const endpoint of config.endpoints) {
  const { user, password, database } = config;
  const lane = new Lane(endpoint, { user, password, database }, config.table, machineMs, (node, error) =>
    tell("e", node, machineMs(), error.message.replaceAll("\n", " ")),
  );
  let primary = false;
  setInterval(() => {
    if (lane.state === "closed" && lane.sinceAttemptMs > reconnectMs) {
      primary = false;
      void lane.connect();
    } else if (lane.busySinceMs !== null && machineMs() - lane.busySinceMs > giveUpMs) {
      lane.drop();
    } else if (lane.idle) {
      void (primary ? write() : look());
    }
  }, intervalMs);

  async function look(): Promise<void> {
    primary = (await lane.isPrimary()) === true;
  }

  async function write(): Promise<void> {
    next += 1;
    const number = next;
    const sentMs = machineMs();
    const outcome = await lane.write(number);
    if (outcome?.kind === "acknowledged") tell("a", number, lane.node, sentMs, machineMs());
    else primary = false;
  }
}
