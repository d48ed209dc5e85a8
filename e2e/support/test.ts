import { join } from "node:path";
import { test as base, type Page } from "@playwright/test";
import { ApiClient } from "../../demo/api-client.ts";
import type { FaultRequest } from "../../demo/fault-names.ts";
import { pollUntil } from "../../demo/poll.ts";
import type { LoadOutcome } from "../../demo/redis/client-load.ts";
import { redisClusterName } from "../../demo/redis/plan.ts";
import { clusterName, planTopology } from "../../demo/topology.ts";
import type { ClusterView, ErrorTrace, RedisView } from "../../server/protocol/index.ts";
import { readEnvironment } from "./environment.ts";
import type { Role } from "./sessions.ts";

/** The running demo as a journey uses it. */
export interface DemoHandle {
  readonly url: string;
  readonly api: ApiClient;
  cause(request: FaultRequest): Promise<void>;
  cluster(): Promise<ClusterView>;
  /** Errors as the application beside `app-1` would report them. */
  reportTraces(traces: readonly Pick<ErrorTrace, "type" | "message" | "frames">[]): Promise<void>;
  /** Heals everything and waits for a primary with two streaming standbys. */
  restore(): Promise<ClusterView>;
  readonly redis: RedisHandle;
}

/** The demo's Redis Cluster: started by the first journey that needs it, for the others have no use for its load. */
export interface RedisHandle {
  start(): Promise<void>;
  view(): Promise<RedisView>;
  /** What the clients' ledger has found since it was last asked. */
  audit(): Promise<LoadOutcome>;
  /** The clients rest until the ledger is asked for: the other journeys have the machine to themselves. */
  rest(): Promise<void>;
  /** Heals everything and waits for three masters with a linked replica each. */
  restore(): Promise<RedisView>;
}

const wholeMs = 60_000;

function openDemo(): DemoHandle {
  const environment = readEnvironment();
  const api = new ApiClient(environment.url, { authorization: `Bearer ${environment.adminToken}` });
  const cluster = () => api.get<ClusterView>(`clusters/${clusterName}`);
  const supervise = async (path: string, request: object): Promise<unknown> => {
    const response = await fetch(`${environment.supervisorUrl}/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${environment.supervisorToken}` },
      body: JSON.stringify(request),
    });
    if (!response.ok) throw new Error(`${path} ${JSON.stringify(request)}: ${await response.text()}`);
    return response.json();
  };
  const cause = async (request: FaultRequest) => void (await supervise("faults", request));
  const restore = async () => {
    await cause({ fault: "heal" });
    return pollUntil("A whole cluster", wholeMs, async () => {
      const now = await cluster();
      const standbys = now.members.filter((member) => member.role === "standby" && member.streaming && member.sync);
      return now.primary !== null && standbys.length === 2 && now.openActionId === null ? now : null;
    });
  };
  const reportTraces: DemoHandle["reportTraces"] = async (traces) => {
    const { host, port } = planTopology("", Number(new URL(environment.url).port)).application.agentHttp;
    const common = { service: "journey", language: "javascript", traceId: null, count: 1 };
    const response = await fetch(`http://${host}:${port}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(traces.map((trace) => ({ ...common, ...trace }))),
    });
    if (!response.ok) throw new Error(await response.text());
  };
  const redis = openRedis(api, supervise, cause);
  return { url: environment.url, api, cause, cluster, restore, reportTraces, redis };
}

function openRedis(
  api: ApiClient,
  supervise: (path: string, request: object) => Promise<unknown>,
  cause: DemoHandle["cause"],
): RedisHandle {
  const view = () => api.get<RedisView>(`redis/${redisClusterName}`);
  const audit = async () => (await supervise("redis", { action: "audit" })) as LoadOutcome;
  const rest = async () => void (await supervise("redis", { action: "rest" }));
  const start = async () => void (await supervise("redis", { action: "start" }));
  const restore = async () => {
    await cause({ fault: "heal" });
    return pollUntil("A whole Redis cluster", wholeMs, async () => {
      const now = await view();
      const masters = now.members.filter(({ role }) => role === "master");
      const linked = now.members.filter(({ link }) => link?.status === "up");
      const whole = masters.length === 3 && linked.length === 3 && now.openIncidentId === null;
      return whole && now.state === "healthy" && now.migration === null ? now : null;
    });
  };
  return { start, view, audit, rest, restore };
}

interface Fixtures {
  readonly demo: DemoHandle;
  /** A page of a browser in which somebody with this role has signed in. */
  readonly pageAs: (role: Role) => Promise<Page>;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from the pattern.
  demo: async ({}, use) => {
    await use(openDemo());
  },
  baseURL: async ({ demo }, use) => {
    await use(demo.url);
  },
  pageAs: async ({ browser, baseURL }, use) => {
    const opened: Page[] = [];
    await use(async (role) => {
      const context = await browser.newContext({
        ...(baseURL ? { baseURL } : {}),
        storageState: join(readEnvironment().sessions, `${role}.json`),
      });
      const page = await context.newPage();
      opened.push(page);
      return page;
    });
    for (const page of opened) await page.context().close();
  },
});

export { expect } from "@playwright/test";
