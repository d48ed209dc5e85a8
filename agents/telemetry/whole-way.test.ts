import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { ServiceView } from "../../server/protocol/index.ts";
import { startTestServer, type TestServer } from "../../server/testing/start-server.ts";
import { Agent } from "../agent.ts";
import { loadConfig } from "../config/load.ts";

let server: TestServer;
let agent: Agent;
let folder: string;
let otlp: string;

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), "holdfast-telemetry-"));
  const port = await findFreePort();
  otlp = `http://127.0.0.1:${port}`;
  const path = join(folder, "agent.yaml");
  const text = stringify({
    node: "app-1",
    server: server.url.replace("http", "ws"),
    stateDir: join(folder, "state"),
    token: await server.enrolmentToken("app-1"),
    otlp: { port },
    applications: [{ name: "gateway", dependsOn: ["orders"] }],
  });
  writeFileSync(path, text);
  agent = await Agent.create(await loadConfig(path), () => {});
  await agent.start();
});
afterAll(async () => {
  await agent.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function ask<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${await server.apiToken("viewer")}` };
  return (await fetch(`${server.url}/api/v1/${path}`, { headers })).json() as Promise<T>;
}

function makeTracer(service: string) {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": service, "telemetry.sdk.language": "nodejs" }),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${otlp}/v1/traces` }), {
        scheduledDelayMillis: 100,
        maxQueueSize: 20_000,
      }),
    ],
  });
  return { tracer: provider.getTracer("test"), stop: () => provider.shutdown() };
}

describe("an instrumented application", () => {
  it("is on the map with exact counts, its errors are grouped, and its calls lead to who answers them", async () => {
    const gateway = makeTracer("gateway");
    const orders = makeTracer("orders");
    const requests = 400;
    const { trace, context } = await import("@opentelemetry/api");
    for (let i = 0; i < requests; i += 1) {
      const root = gateway.tracer.startSpan("GET /", { kind: SpanKind.SERVER });
      const inRoot = trace.setSpan(context.active(), root);
      const address = { "server.address": "orders.local", "server.port": 3000 };
      const call = gateway.tracer.startSpan("GET", { kind: SpanKind.CLIENT, attributes: address }, inRoot);
      const remote = orders.tracer.startSpan("GET /order", { kind: SpanKind.SERVER }, trace.setSpan(inRoot, call));
      if (i % 4 === 0) {
        remote.recordException(new RangeError(`order ${i} is out of range`));
        remote.setStatus({ code: SpanStatusCode.ERROR });
      }
      for (const span of [remote, call, root]) span.end();
    }
    await Promise.all([gateway.stop(), orders.stop()]);

    const countOf = async (service: string, to = "") => {
      const { series } = await ask<{ series: { requests: number[] } }>(`services/${service}/series${to}`);
      return (series?.requests ?? []).reduce((sum, value) => sum + (value ?? 0), 0);
    };
    await expect.poll(() => countOf("gateway"), { timeout: 10_000 }).toBe(requests);
    await expect.poll(() => countOf("orders"), { timeout: 10_000 }).toBe(requests);
    await expect.poll(() => countOf("gateway", "?to=orders"), { timeout: 10_000 }).toBe(requests);
    const { items } = await ask<{ items: ServiceView[] }>("services");
    expect(items.map(({ name, declared, nodes, dependsOn }) => [name, declared, nodes, dependsOn])).toEqual([
      ["gateway", true, ["app-1"], ["orders"]],
      ["orders", false, ["app-1"], []],
    ]);
    // The share is of whole seconds that are over.
    await expect
      .poll(async () => (await ask<{ items: ServiceView[] }>("services")).items[1]?.traffic.errorShare, {
        timeout: 10_000,
      })
      .toBe(0.25);
    const readGroups = async () =>
      (await ask<{ items: { count: number; type: string; service: string }[] }>("traces")).items;
    await expect
      .poll(readGroups, { timeout: 10_000 })
      .toMatchObject([{ count: requests / 4, type: "RangeError", service: "orders" }]);
  }, 30_000);
});

function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
