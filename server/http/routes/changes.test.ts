import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Document } from "../../core/index.ts";
import { startTestServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
let headers: Record<string, string>;
beforeAll(async () => {
  server = await startTestServer();
  headers = {
    authorization: `Bearer ${await server.apiToken("operator")}`,
    "content-type": "application/json",
  };
  for (let number = 1; number <= 460; number += 1) store(number);
});
afterAll(() => server.stop());

/** Every fifth is a dry run, the hundredths are of the service billing. */
function store(number: number): void {
  const document = {
    kind: "change",
    id: `CHG-${number}`,
    openedAt: number,
    closedAt: number + 1,
    service: number % 100 === 0 ? "billing" : "web",
    version: "2.0",
    item: { kind: "release", version: "2.0" },
    phase: number % 2 === 0 ? "done" : "aborted",
    reason: "new",
    by: "ada",
    targets: [],
    rollbackOf: null,
    incidentId: null,
    ...(number % 5 === 0 ? { dryRun: true } : {}),
  } as unknown as Document;
  server.stores.tables.documents.set(`change:${document.id}`, document);
}

interface Page {
  readonly items: readonly { readonly id: string }[];
  readonly nextCursor: string | null;
}

async function list(query: string): Promise<Page> {
  const response = await fetch(`${server.url}/api/v1/changes?${query}`, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

const idsOf = ({ items }: Page) => items.map(({ id }) => id);

describe("the list of changes", () => {
  it("finds what is far back, whatever the page holds", async () => {
    expect(idsOf(await list("text=billing"))).toEqual(["CHG-400", "CHG-300", "CHG-200", "CHG-100"]);
    expect(idsOf(await list("text=chg-41&state=done"))).toEqual([
      "CHG-418",
      "CHG-416",
      "CHG-414",
      "CHG-412",
      "CHG-410",
    ]);
    expect(idsOf(await list("text=nothing"))).toEqual([]);
  });

  it("goes on where a page ended, and leaves none out", async () => {
    const all = idsOf(await list("kind=dry-run&limit=500"));
    expect(all).toHaveLength(92);
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await list(`kind=dry-run&limit=10${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      expect(page.items.length).toBeLessThanOrEqual(10);
      paged.push(...idsOf(page));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all);
  });

  it("says which states and kinds there are when another one is asked for", async () => {
    const response = await fetch(`${server.url}/api/v1/changes?state=over`, { headers });
    expect(response.status).toBe(400);
  });

  it("is not dry-run for a service that nobody has", async () => {
    const body = JSON.stringify({ item: { kind: "release", version: "2.0" } });
    const response = await fetch(`${server.url}/api/v1/releases/none/dry-run`, { method: "POST", headers, body });
    expect(response.status).toBe(404);
  });
});
