import net from "node:net";
import { Worker } from "node:worker_threads";

/**
 * Ports on which nothing ever answers, as when a machine has lost its network: no SYN-ACK, no RST.
 *
 * A listener whose accept queue is full makes Linux drop further SYNs. So a worker thread listens with the smallest queue, fills it with
 * connections of its own and then blocks, which keeps libuv from accepting them. Where a full queue does not drop SYNs (other
 * kernels), new connections are accepted by the kernel and never answered: the nearest thing there is without privileges.
 */
export interface SilentPorts {
  /** Frees the ports. Connections still waiting in the queue are reset. */
  release(): Promise<void>;
}

export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

const backlog = 1;
/** The kernel takes `backlog + 1` connections into the queue; the others stay unanswered and are given up at once. */
const fillers = backlog + 3;

/** Plain JavaScript, because a worker started from a bundle has no file of its own. */
const workerSource = `
const { parentPort, workerData } = require("node:worker_threads");
const net = require("node:net");
parentPort.once("message", async (addresses) => {
  try {
    await Promise.all(addresses.map(({ host, port }) => new Promise((resolve, reject) => {
      const server = net.createServer((socket) => socket.pause());
      server.once("error", reject);
      server.listen({ host, port, backlog: workerData.backlog }, resolve);
    })));
    parentPort.postMessage({ listening: true });
    Atomics.wait(workerData.gate, 0, 0);
  } catch (error) {
    parentPort.postMessage({ listening: false, reason: String(error && error.message) });
  }
});
`;

/** Workers take 30 ms to start; one is kept ready so that a cut takes effect at once. */
let spare: { worker: Worker; gate: Int32Array } | null = null;

function createWorker(): { worker: Worker; gate: Int32Array } {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(workerSource, { eval: true, workerData: { gate, backlog } });
  worker.unref();
  return { worker, gate };
}

/** Starts the thread that the next `silencePorts` will use. */
export function prepareSilence(): void {
  spare ??= createWorker();
}

/** Ends the thread kept ready, so that nothing outlives the fabric. */
export async function discardPreparedSilence(): Promise<void> {
  const kept = spare;
  spare = null;
  await kept?.worker.terminate();
}

/** Takes over the given ports, which must be free, and answers nothing on them until released. */
export async function silencePorts(addresses: readonly PortAddress[]): Promise<SilentPorts> {
  const { worker, gate } = spare ?? createWorker();
  spare = null;
  await new Promise<void>((resolve, reject) => {
    worker.once("message", (message: { listening: boolean; reason?: string }) =>
      message.listening ? resolve() : reject(new Error(`The silent listener could not start: ${message.reason}`)),
    );
    worker.once("error", reject);
    worker.postMessage(addresses);
  });
  const waiting = addresses.flatMap((address) => Array.from({ length: fillers }, () => fillQueue(address)));
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const socket of waiting) if (socket.connecting) socket.destroy();
  return {
    release: async () => {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      for (const socket of waiting) socket.destroy();
      await worker.terminate();
      prepareSilence();
    },
  };
}

function fillQueue({ host, port }: PortAddress): net.Socket {
  const socket = net.connect({ host, port });
  socket.on("error", () => undefined);
  socket.unref();
  return socket;
}
