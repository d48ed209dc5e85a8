import { machineMs } from "../../demo/clock.ts";
import { type Credentials, Lane, type LaneEndpoint } from "../../demo/writer/lane.ts";
import type { AcknowledgementLog } from "./acknowledgements.ts";

const turnMs = 20;
const reconnectMs = 60;

/**
 * A client that knows only one node and never gives up on it: it writes there whenever that server says it is a primary, also when it was deposed
 * long ago. It goes past the demo's network, as a client on the same machine would. What it gets acknowledged must be in the surviving history.
 */
export class Witness {
  readonly #lane: Lane;
  #timer: NodeJS.Timeout | null = null;
  #writing = false;

  constructor(
    endpoint: LaneEndpoint,
    credentials: Credentials,
    table: string,
    private readonly nextId: () => number,
    private readonly log: AcknowledgementLog,
  ) {
    this.#lane = new Lane(endpoint, credentials, table, machineMs, () => undefined);
  }

  /** Once, on the primary. */
  static async prepareTable(endpoint: LaneEndpoint, credentials: Credentials, table: string): Promise<void> {
    const lane = new Lane(endpoint, credentials, table, machineMs, () => undefined);
    await lane.connect();
    const made = await lane.prepareTable();
    lane.drop();
    if (!made) throw new Error(`The table ${table} could not be made on ${endpoint.node}.`);
  }

  start(): void {
    this.#timer = setInterval(() => void this.#turn(), turnMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#lane.drop();
  }

  async #turn(): Promise<void> {
    const lane = this.#lane;
    if (lane.state === "closed" && lane.sinceAttemptMs >= reconnectMs) void lane.connect();
    if (!lane.idle || this.#writing) return;
    this.#writing = true;
    try {
      if ((await lane.isPrimary()) !== true) return;
      const id = this.nextId();
      const sentMs = machineMs();
      const outcome = await lane.write(id);
      if (outcome?.kind === "acknowledged") this.log.add({ id, node: lane.node, sentMs, atMs: machineMs() });
    } finally {
      this.#writing = false;
    }
  }
}
