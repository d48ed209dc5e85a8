import { createConnection, createServer, type Socket } from "node:net";

/** A wire to the database that a test can cut: requests still arrive, answers don't. */
export interface CutProxy {
  readonly port: number;
  /** `swallow`: answers vanish. `sever`: the connection ends as soon as the database answers. */
  mode: "pass" | "swallow" | "sever";
  close(): Promise<void>;
}

export async function startCutProxy(targetPort: number): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = createConnection(targetPort, "127.0.0.1");
    const ends = [client, target];
    for (const socket of ends) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        for (const each of ends) each.destroy();
      });
    }
    client.on("data", (bytes) => target.write(bytes));
    target.on("data", (bytes) => {
      if (proxy.mode === "pass") client.write(bytes);
      else if (proxy.mode === "sever") client.destroy();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  const proxy: CutProxy = {
    port: address.port,
    mode: "pass",
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
  return proxy;
}
