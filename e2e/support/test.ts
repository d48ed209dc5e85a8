import { join } from "node:path";
import { test as base, type Page } from "@playwright/test";
import { ApiClient } from "../../demo/api-client.ts";
import type { FaultRequest } from "../../demo/fault-names.ts";
import { pollUntil } from "../../demo/poll.ts";
import { clusterName } from "../../demo/topology.ts";
import type { ClusterView } from "../../server/protocol/index.ts";
import { readEnvironment } from "./environment.ts";
import type { Role } from "./sessions.ts";

/** The running demo as a journey uses it. */
export interface DemoHandle {
  readonly url: string;
  readonly api: ApiClient;
  cause(request: FaultRequest): Promise<void>;
  cluster(): Promise<ClusterView>;
  /** Heals everything and waits for a primary with two streaming standbys. */
  restore(): Promise<ClusterView>;
}

const wholeMs = 60_000;

function openDemo(): DemoHandle {
  const environment = readEnvironment();
  const api = new ApiClient(environment.url, { authorization: `Bearer ${environment.adminToken}` });
  const cluster = () => api.get<ClusterView>(`clusters/${clusterName}`);
  const cause = async (request: FaultRequest) => {
    const response = await fetch(`${environment.supervisorUrl}/faults`, {
      method: "POST",
      headers: { authorization: `Bearer ${environment.supervisorToken}` },
      body: JSON.stringify(request),
    });
    if (!response.ok) throw new Error(`${request.fault}: ${await response.text()}`);
  };
  const restore = async () => {
    await cause({ fault: "heal" });
    return pollUntil("A whole cluster", wholeMs, async () => {
      const now = await cluster();
      const standbys = now.members.filter((member) => member.role === "standby" && member.streaming && member.sync);
      return now.primary !== null && standbys.length === 2 && now.openActionId === null ? now : null;
    });
  };
  return { url: environment.url, api, cause, cluster, restore };
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
