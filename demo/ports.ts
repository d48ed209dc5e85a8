import net from "node:net";
import { listPorts, type Topology } from "./topology.ts";

/** A sentence when a port the demo needs is taken; null when all are free. */
export async function findTakenPort(topology: Topology): Promise<string | null> {
  for (const { address, what } of listPorts(topology)) {
    const code = await tryListen(address.host, address.port);
    if (code === null) continue;
    const why = code === "EADDRINUSE" ? "is taken by another program" : `can't be used (${code})`;
    return `Port ${address.port} on ${address.host}, needed for ${what}, ${why}. Choose another range with --port N (the demo uses N to N+92).`;
  }
  return null;
}

function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown error"));
    server.listen({ host, port }, () => server.close(() => resolve(null)));
  });
}
