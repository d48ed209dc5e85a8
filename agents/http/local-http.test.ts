import type { Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PostgresStatus, WorkloadReport } from "../../server/core/index.ts";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import { startLocalHttp } from "./local-http.ts";
import { readyAsPrimary, readyAsReplica } from "./readiness.ts";

const status: PostgresStatus = {
  cluster: "orders",
  host: "127.0.0.1",
  port: 5432,
  state: "running",
  role: "primary",
  systemId: "1",
  version: "15",
  timeline: 2,
  lsn: 10,
  replayLsn: null,
  replayPaused: false,
  replayLagMs: null,
  receiver: null,
  replication: [
    {
      applicationName: "e2_pg-b",
      node: "pg-b",
      state: "streaming",
      syncState: "quorum",
      sentLsn: 1,
      writeLsn: 1,
      flushLsn: 1,
      replayLsn: 1,
      replayLagMs: null,
    },
  ],
  synchronousStandbyNames: "",
  probe: { ok: true, ms: 1, failingForMs: 0, reason: null },
  syncProbe: null,
  exit: null,
  promise: { epoch: 2, intentId: "i", step: 1, configVersion: 2 },
  configurations: [{ epoch: 2, version: 2, k: 1, members: ["pg-b", "pg-c"] }],
  promoteIssuedEpoch: null,
  connections: 1,
  preparedTransactions: 0,
  longestTransactionMs: null,
  response: null,
  canRewind: false,
  initialize: false,
};

describe("who may be asked for writes", () => {
  it("is a primary under the newest promise, with k members streaming", () => {
    expect(readyAsPrimary(status)).toMatchObject({ ready: true });
    expect(readyAsPrimary({ ...status, promise: { epoch: 3, intentId: "j", step: 0, configVersion: 3 } }).ready).toBe(
      false,
    );
    expect(readyAsPrimary({ ...status, replication: [] }).reason).toBe("0 of the 1 needed standbys stream");
    const foreign = status.replication.map((row) => ({ ...row, applicationName: "e1_pg-b" }));
    expect(readyAsPrimary({ ...status, replication: foreign }).ready).toBe(false);
    expect(readyAsPrimary({ ...status, state: "hung" }).ready).toBe(false);
    expect(readyAsPrimary(null).ready).toBe(false);
  });

  it("is not a standby, which answers reads only while it streams", () => {
    const receiver = {
      status: "streaming",
      senderHost: null,
      senderPort: null,
      receivedLsn: 1,
      advancedAgoMs: 1,
    } as const;
    const standby = { ...status, role: "standby", receiver } as const;
    expect(readyAsPrimary(standby).ready).toBe(false);
    expect(readyAsReplica(standby).ready).toBe(true);
    expect(readyAsReplica({ ...standby, receiver: { ...receiver, status: "none" } }).ready).toBe(false);
  });
});

describe("the local HTTP", () => {
  let server: Server;
  let url: string;
  let postgres: PostgresStatus | null;
  const traces: ErrorTrace[] = [];
  const reports: WorkloadReport[] = [];
  const figures: Record<string, unknown> = {};

  beforeEach(async () => {
    traces.length = 0;
    reports.length = 0;
    postgres = status;
    server = await startLocalHttp({
      host: "127.0.0.1",
      port: 0,
      postgres: () => postgres,
      status: () => ({ node: "pg-a" }),
      takeTraces: async (list) => {
        traces.push(...list);
      },
      takeErrors: (list) => traces.push(...list),
      takeGauges: ({ service, gauges }) => Object.assign(figures, { [service]: gauges }),
      takeWorkload: (report) => reports.push(report),
    });
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  });

  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const post = (path: string, body: string, type = "application/json") =>
    fetch(url + path, { method: "POST", body, headers: { "content-type": type } });

  it("answers load balancers by status alone", async () => {
    expect((await fetch(`${url}/primary`)).status).toBe(200);
    expect((await fetch(`${url}/replica`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    postgres = { ...status, state: "stopped", role: null };
    expect((await fetch(`${url}/primary`, { method: "HEAD" })).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(503);
  });

  const trace: ErrorTrace = {
    service: "writer",
    language: "javascript",
    type: "TypeError",
    message: "x is not a function",
    frames: [{ function: "run", file: "writer.ts", line: 3 }],
    traceId: null,
    count: 1,
  };

  it("takes errors with their stack as text, and gauges", async () => {
    const stack = "TypeError: no card\n    at pay (/srv/src/pay.js:3:1)";
    expect((await post("/errors", JSON.stringify({ service: "pay", stack, count: 3 }))).status).toBe(202);
    expect(traces).toEqual([
      {
        service: "pay",
        language: "javascript",
        type: "TypeError",
        message: "no card",
        frames: [{ function: "pay", file: "src/pay.js", line: 3 }],
        traceId: null,
        count: 3,
      },
    ]);
    expect((await post("/gauges", JSON.stringify({ service: "pay", gauges: { poolWaiting: 4 } }))).status).toBe(202);
    expect(figures).toEqual({ pay: { poolWaiting: 4 } });
    for (const [path, body] of [
      ["/errors", { service: "" }],
      ["/errors", { service: "a", shell: "rm" }],
      ["/gauges", { service: "a", gauges: { "a b": 1 } }],
    ] as const) {
      expect((await post(path, JSON.stringify(body))).status, JSON.stringify(body)).toBe(422);
    }
    const headers = { "content-type": "application/json", origin: "https://evil.example" };
    expect((await fetch(`${url}/errors`, { method: "POST", headers, body: "{}" })).status).toBe(403);
  });

  it("takes one trace or several", async () => {
    expect((await post("/v1/traces", JSON.stringify(trace))).status).toBe(202);
    expect((await post("/v1/traces", JSON.stringify([trace, trace]))).status).toBe(202);
    expect(traces).toEqual([trace, trace, trace]);
  });

  it.each([
    ["no JSON", "{", "application/json", 400, /not JSON/],
    ["another type", "x=1", "application/x-www-form-urlencoded", 415, /application\/json/],
    ["a trace without frames", JSON.stringify({ ...trace, frames: undefined }), "application/json", 422, /frames/],
    [
      "too many frames",
      JSON.stringify({ ...trace, frames: Array(65).fill(trace.frames[0]) }),
      "application/json",
      422,
      /frames/,
    ],
    ["something more", JSON.stringify({ ...trace, run: "rm" }), "application/json", 422, /run/],
    ["too many traces", JSON.stringify(Array(101).fill(trace)), "application/json", 413, /100/],
    ["too many bytes", `"${"x".repeat(300_000)}"`, "application/json", 413, /bytes/],
  ])("refuses %s and says why", async (_what, body, type, code, reason) => {
    const response = await post("/v1/traces", body, type);
    expect(response.status).toBe(code);
    expect(((await response.json()) as { error: string }).error).toMatch(reason);
    expect(traces).toEqual([]);
  });

  it("changes nothing by GET, and knows no other path", async () => {
    expect((await fetch(`${url}/v1/traces`)).status).toBe(405);
    expect((await fetch(`${url}/failover`)).status).toBe(404);
  });
});
