import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import { startLocalHttp } from "./local-http.ts";

const client = fileURLToPath(new URL("../../clients/node/holdfast.mjs", import.meta.url));
const traces: ErrorTrace[] = [];
const gauges: Record<string, Record<string, number>> = {};
let agent: string;
let close: () => void;

beforeAll(async () => {
  const server = await startLocalHttp({
    host: "127.0.0.1",
    port: 0,
    postgres: () => null,
    status: () => ({}),
    takeTraces: async () => {},
    takeErrors: (list) => traces.push(...list),
    takeGauges: (report) => {
      gauges[report.service] = report.gauges;
    },
    takeWorkload: () => {},
  });
  agent = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => server.close();
});
afterAll(() => close());

function run(script: string, args: string[] = []): Promise<number | null> {
  const env = { ...process.env, HOLDFAST_AGENT: agent, HOLDFAST_SERVICE: "shop" };
  const child = spawn(process.execPath, [...args, "--input-type=module", "-e", script], { env, stdio: "ignore" });
  return new Promise((resolve) => child.on("close", resolve));
}

describe("the client for Node", () => {
  it("reports what ends a program, and the program ends as it would have", async () => {
    expect(
      await run("function pay() { throw new RangeError('no card'); } setTimeout(pay, 10)", ["--import", client]),
    ).toBe(1);
    await expect
      .poll(() => traces, { timeout: 10_000 })
      .toMatchObject([{ service: "shop", type: "RangeError", message: "no card", language: "javascript" }]);
    expect(traces[0]?.frames[0]?.function).toContain("pay");
  }, 20_000);

  it("reports errors and figures by hand, and never keeps a program alive", async () => {
    traces.length = 0;
    const script = `import { connect } from ${JSON.stringify(client)};
      const holdfast = connect({ agent: ${JSON.stringify(agent)}, service: "pool" });
      holdfast.gauge("poolWaiting", () => 7);
      holdfast.report(new TypeError("by hand"), { traceId: "${"a".repeat(32)}" });
      await holdfast.flush();
      setTimeout(() => {}, 2_500);`;
    expect(await run(script)).toBe(0);
    expect(traces).toMatchObject([{ service: "pool", type: "TypeError", traceId: "a".repeat(32) }]);
    expect(gauges.pool).toMatchObject({ poolWaiting: 7, eventLoopLagMs: expect.any(Number) });
  }, 20_000);
});
