import { beforeEach, describe, expect, it } from "vitest";
import type { ConnectionReport, TelemetryFrame } from "../../protocol/index.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { makeCalls, makeRequests, makeTelemetry } from "../../testing/telemetry.ts";
import { measureServices } from "../service-watch/measure.ts";
import { connectionsKeptMs } from "./connection-records.ts";
import type { Declared } from "./resolve-graph.ts";
import { LiveTelemetry } from "./telemetry-store.ts";

let clock: FakeClock;
let store: LiveTelemetry;
let declared: Declared[];
const members = [{ cluster: "orders", kind: "database", node: "pg-a", host: "10.0.0.9", port: 5432 }] as const;

beforeEach(() => {
  clock = new FakeClock();
  declared = [];
  store = new LiveTelemetry(
    clock,
    () => declared,
    () => members,
  );
});

function take(over: Partial<TelemetryFrame>, node = "app-1"): void {
  const at = clock.wallMs();
  store.take(node, makeTelemetry({ at, ...over }), at);
}

const end = { kind: "service", alias: null, sockets: 1 } as const;
const call = (service: string, address: string, port: number) => ({ ...end, service, address, port });
const report = (over: Partial<ConnectionReport>): ConnectionReport => ({
  scope: "h",
  addresses: [],
  listens: [{ service: "payments", kind: "service", address: "*", port: 80 }],
  calls: [call("orders", "127.0.0.1", 80)],
  ...over,
});

const edges = () =>
  store
    .topology()
    .edges.filter(({ kind }) => kind === "calls")
    .map(({ from, to, declared: isDeclared, observed, connected }) => {
      const origin = [isDeclared && "declared", observed && "observed", connected && "connected"].filter(Boolean);
      return `${from} → ${to}: ${origin.join(", ")}`;
    });

const heard = (...names: string[]) => ({
  services: names.map((name) => ({ name, version: null, dependsOn: [], declared: true })),
});

describe("edges by connection", () => {
  it("stand where neither spans nor declarations say anything, with when they were seen", () => {
    take({ ...heard("orders", "payments"), connections: report({}) });
    expect(edges()).toEqual(["service:orders → service:payments: connected"]);
    expect(store.service("orders")).toMatchObject({
      connected: true,
      dependsOn: [],
      connectedTo: ["payments"],
      calls: [{ to: "service:payments", connected: true, lastSeenAt: clock.wallMs(), traffic: { perSecond: null } }],
    });
  });

  it("add nothing where spans show calls already", async () => {
    const second = Math.floor(clock.wallMs() / 1_000) - 1;
    const calls = [
      makeCalls("orders", "payments", "service", 3, 5),
      makeCalls("orders", "postgresql/shop", "database", 1, 2),
    ];
    take({ ...heard("orders", "payments"), buckets: [{ second, requests: [], calls }] });
    const before = edges();
    await clock.advance(1_000);
    const withConnections = report({ calls: [call("orders", "127.0.0.1", 80), call("orders", "10.0.0.9", 5432)] });
    take({ connections: withConnections });
    expect(edges()).toEqual(before);
    expect(before).toHaveLength(2);
    expect(store.service("orders")).toMatchObject({ connected: false, connectedTo: [] });
  });

  it("say of a declared dependency that it is there", () => {
    declared.push({ from: "orders", to: "payments" });
    take({ ...heard("orders", "payments"), connections: report({}) });
    expect(edges()).toEqual(["service:orders → service:payments: declared, connected"]);
    expect(store.service("orders")).toMatchObject({ dependsOn: ["payments"], connectedTo: [] });
  });

  it("lead to clusters and to nodes, and never from a service to itself", () => {
    take({ connections: report({ addresses: ["10.0.0.3"], calls: [], listens: [] }) }, "app-3");
    const calls = [call("orders", "10.0.0.9", 5432), call("orders", "10.0.0.3", 9), call("payments", "127.0.0.1", 80)];
    take({ ...heard("orders"), connections: report({ calls }) });
    expect(edges()).toEqual([
      "service:orders → service:postgresql/orders: connected",
      "service:orders → host:app-3: connected",
    ]);
    expect(store.topology().nodes.find(({ name }) => name === "postgresql/orders")).toMatchObject({
      kind: "database",
      observed: false,
      declared: false,
      connected: true,
      lastSeenAt: clock.wallMs(),
    });
  });

  it("go ten minutes after the connection was last seen", async () => {
    take({ ...heard("orders", "payments"), connections: report({}) });
    await clock.advance(connectionsKeptMs - 1_000);
    expect(edges()).toHaveLength(1);
    await clock.advance(2_000);
    expect(edges()).toEqual([]);
  });

  it("change neither what faults are localized by nor what services are measured", () => {
    const second = Math.floor(clock.wallMs() / 1_000) - 3;
    const buckets = [{ second, requests: [makeRequests("payments", 9, 5)], calls: [] }];
    const calls = [call("orders", "127.0.0.1", 80), call("orders", "10.0.0.9", 5432), call("cron", "127.0.0.1", 80)];
    const [without, withThem] = [undefined, report({ calls })].map((connections) => {
      const other = new LiveTelemetry(
        clock,
        () => [],
        () => members,
      );
      const frame = makeTelemetry({ at: clock.wallMs(), ...heard("orders", "payments"), buckets, connections });
      other.take("app-1", frame, clock.wallMs());
      return {
        calls: other.topology().edges.filter(({ kind }) => kind === "calls").length,
        judged: { window: other.window(second), measures: measureServices(other, clock.wallMs(), () => []) },
      };
    });
    expect([without?.calls, withThem?.calls]).toEqual([0, 3]);
    expect(withThem?.judged).toEqual(without?.judged);
    expect(without?.judged.measures.map(({ name, isEntry }) => [name, isEntry])).toEqual([
      ["orders", true],
      ["payments", true],
    ]);
  });
});
