import { createServer, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { GreetingProber, greet } from "./greeting-prober.ts";

let server: Server | null = null;
afterEach(() => server?.close());

/** A listener that answers (like PostgreSQL) or stays silent (like a stopped one). */
function listen(answers: boolean): Promise<number> {
  return new Promise((resolve) => {
    server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => answers && socket.write("N"));
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server?.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

it("knows a server that answers the greeting from one that only accepts", async () => {
  expect(await greet("127.0.0.1", await listen(true))).toBe(true);
  server?.close();
  expect(await greet("127.0.0.1", await listen(false))).toBe(false);
});

it("says why a peer does not answer", async () => {
  const port = await listen(false);
  const prober = new GreetingProber({ node: "pg-a", cluster: "orders", host: "127.0.0.1", port }, () => {});
  prober.start();
  await expect.poll(() => prober.read(performance.now()).reason, { timeout: 5_000 }).toBe("accepted-silent");
  prober.stop();
});
